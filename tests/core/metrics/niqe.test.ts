import { expect, test } from "vitest";
import { fitAggd } from "../../../packages/core/metrics/niqe_aggd.ts";
import { niqe } from "../../../packages/core/metrics/niqe.ts";
import { niqeFeatures } from "../../../packages/core/metrics/niqe_features.ts";
import { halved, smoothed } from "../../../packages/core/metrics/niqe_filters.ts";
import { openSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { randomOf } from "../../../packages/train/random.ts";
import { goldenPicture, painted, part } from "./_picture.ts";

const GOLDEN = new URL("../../golden/metrics/", import.meta.url).pathname;
const { config, tolerances } = JSON.parse(await Deno.readTextFile(`${GOLDEN}case.json`));
const WHOLE = { cropBorder: 0 };

for (const [i, { image, crop_border: cropBorder, niqe: wanted }] of config.niqe.entries()) {
  test(`niqe() and its features equal BasicSR on ${image}`, async () => {
    const picture = await goldenPicture(image);
    expect(Math.abs(await niqe(picture, { cropBorder }) - wanted)).toBeLessThan(tolerances.niqe.atol);
    using file = await openSafetensors(`${GOLDEN}niqe_features.safetensors`);
    const expected = new Float32Array((await file.read(`niqe${i}.features`)).buffer);
    const features = niqeFeatures(picture, { cropBorder }).flatMap((block) => [...block]);
    expect(features.length).toBe(expected.length);
    const error = Math.max(...features.map((value, k) => Math.abs(value - expected[k]!)));
    expect(error).toBeLessThan(tolerances.niqe_features.atol);
  });
}

test("niqe() of a cropped picture is that of its inner part", async () => {
  const picture = await goldenPicture("niqe0.png");
  const inner = part(picture, { x: 7, y: 7, width: 286, height: 246 });
  expect(await niqe(picture, { cropBorder: 7 })).toBe(await niqe(inner, WHOLE));
});

test("niqe() is larger for noise than for a photograph, NaN without contrast", async () => {
  const random = randomOf(1, "niqe");
  const noise = await niqe(painted(192, 96, () => random.uniform(0, 256)), WHOLE);
  expect(noise).toBeGreaterThan(2 * await niqe(await goldenPicture("niqe0.png"), WHOLE));
  expect(await niqe(painted(192, 96, () => 77), WHOLE)).toBe(NaN);
});

test("niqe() leaves flat blocks out", async () => {
  const picture = await goldenPicture("niqe1.png");
  const half = painted(300, 260, (x, y, channel) => y < 96 ? 77 : picture.rgb[(y * 300 + x) * 3 + channel]!);
  expect(await niqe(half, WHOLE)).toBeGreaterThan(0);
});

test("niqe() refuses a picture of fewer than two blocks", async () => {
  await expect(niqe(painted(191, 191, () => 0), WHOLE)).rejects.toThrow("two blocks of 96 x 96 must fit");
  await expect(niqe(painted(192, 96, () => 0), { cropBorder: 1 })).rejects.toThrow(RangeError);
});

test("fitAggd() finds the parameters of a normal distribution", () => {
  const random = randomOf(1, "aggd");
  const values = Float64Array.from({ length: 20_000 }, () => {
    const value = random.normal();
    return value < 0 ? 2 * value : value;
  });
  const { alpha, left, right } = fitAggd(values.filter((value) => value > 0).map((value, i) => i % 2 ? value : -value));
  expect(Math.abs(alpha - 2)).toBeLessThan(0.1);
  for (const beta of [left, right]) expect(Math.abs(beta - Math.SQRT2)).toBeLessThan(0.05);
  const skewed = fitAggd(values);
  expect(Math.abs(skewed.left / skewed.right - 2)).toBeLessThan(0.05);
});

test("the filters leave flat and linear parts as they are, up to their borders", () => {
  const plane = { width: 12, height: 10, values: Float64Array.from({ length: 120 }, (_, i) => 3 * (i % 12)) };
  const half = halved(plane);
  expect([half.width, half.height]).toEqual([6, 5]);
  expect([...half.values.subarray(0, 6)].slice(2, 4)).toEqual([2, 3].map((x) => expect.closeTo(3 * (2 * x + 0.5), 10)));
  expect(smoothed(plane).values[5]).toBeCloseTo(15, 10);
  const flat = { ...plane, values: plane.values.map(() => 7) };
  for (const { values } of [halved(flat), smoothed(flat)]) {
    expect(Math.max(...values.map((v) => Math.abs(v - 7)))).toBeLessThan(1e-12);
  }
});
