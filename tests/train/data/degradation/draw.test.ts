import { expect, test } from "vitest";
import { describeDegradation } from "../../../../packages/train/data/degradation/describe.ts";
import { type Degradation, drawDegradation, type Stage } from "../../../../packages/train/data/degradation/draw.ts";
import { parseDegradation } from "../../../../packages/train/data/degradation/parameters.ts";
import { randomOf } from "../../../../packages/train/random.ts";

const COUNT = 4000;
const parameters = parseDegradation({});
const drawn = Array.from({ length: COUNT }, (_, i) => drawDegradation(parameters, randomOf(1, "degradation", i)));

/** Asserts that `isSo` holds for this share of `all`, up to five standard errors. */
function expectShare<T>(all: readonly T[], isSo: (one: T) => boolean, share: number): void {
  const deviation = all.filter(isSo).length / all.length - share;
  expect(Math.abs(deviation)).toBeLessThanOrEqual(5 * Math.sqrt(share * (1 - share) / all.length));
}

/** Asserts that numbers fill a range: none beyond, and some near both ends. */
function expectRange(numbers: readonly number[], [low, high]: readonly [number, number]): void {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const margin = 0.05 * (high - low);
  expect(least).toBeGreaterThanOrEqual(low);
  expect(least).toBeLessThan(low + margin);
  expect(most).toBeLessThanOrEqual(high);
  expect(most).toBeGreaterThan(high - margin);
}

const stagesAt = (i: number): Stage[] => drawn.map(({ stages }) => stages[i]!);
const ROUNDS = [0, 1].map((i) => ({
  round: ["first", "second"][i] as "first" | "second",
  stages: stagesAt(i),
  gaussians: stagesAt(i).flatMap(({ blur }) => blur && blur.type !== "sinc" ? [blur] : []),
  blurs: stagesAt(i).flatMap(({ blur }) => blur ? [blur] : []),
}));

test.each(ROUNDS)("the $round round blurs as often and as much as it should", ({ round, stages, blurs, gaussians }) => {
  const { blur_prob, sinc_prob, kernel_prob, blur_sigma } = parameters[round];
  expectShare(stages, ({ blur }) => blur !== undefined, blur_prob);
  expectShare(blurs, ({ type }) => type === "sinc", sinc_prob);
  for (const [kind, share] of Object.entries(kernel_prob)) expectShare(gaussians, ({ type }) => type === kind, share);
  expect(new Set(blurs.map(({ size }) => size))).toEqual(new Set([7, 9, 11, 13, 15, 17, 19, 21]));
  expectRange(gaussians.map(({ sigma_x }) => sigma_x), blur_sigma);
  for (const { type, sigma_y, theta, beta } of gaussians) {
    expect([sigma_y, theta].map((value) => value !== undefined)).toEqual(Array(2).fill(type.endsWith("aniso")));
    expect(beta !== undefined).toBe(/^(generalized|plateau)/.test(type));
  }
  const betas = (kind: string) => gaussians.flatMap(({ type, beta }) => type.startsWith(kind) ? [beta!] : []);
  expectRange(betas("generalized"), [0.5, 4]);
  expectShare(betas("generalized"), (beta) => beta < 1, 0.5);
  expectRange(betas("plateau"), [1, 2]);
  const sincs = blurs.flatMap((blur) => blur.type === "sinc" ? [blur] : []);
  expectRange(sincs.filter(({ size }) => size < 13).map(({ cutoff }) => cutoff), [Math.PI / 3, Math.PI]);
  expectRange(sincs.filter(({ size }) => size >= 13).map(({ cutoff }) => cutoff), [Math.PI / 5, Math.PI]);
});

test.each(ROUNDS)("the $round round resizes, adds noise and compresses as it should", ({ round, stages }) => {
  const { resize_prob, resize_range, gaussian_noise_prob, gray_noise_prob, ...ranges } = parameters[round];
  expectShare(stages, ({ resize: { factor } }) => factor > 1, resize_prob.up);
  expectShare(stages, ({ resize: { factor } }) => factor < 1, resize_prob.down);
  expectRange(stages.map(({ resize: { factor } }) => factor), resize_range);
  for (const each of ["area", "bilinear", "bicubic"]) {
    expectShare(stages, ({ resize: { mode } }) => mode === each, 1 / 3);
  }
  expectShare(stages, ({ noise: { type } }) => type === "gaussian", gaussian_noise_prob);
  expectShare(stages, ({ noise: { gray } }) => gray, gray_noise_prob);
  expectRange(stages.flatMap(({ noise }) => noise.type === "gaussian" ? [noise.sigma] : []), ranges.noise_range);
  expectRange(stages.flatMap(({ noise }) => noise.type === "poisson" ? [noise.scale] : []), ranges.poisson_scale_range);
  expectRange(stages.map(({ jpeg }) => jpeg), ranges.jpeg_range);
  expect(stages.every(({ jpeg }) => Number.isInteger(jpeg))).toBe(true);
  expect(new Set(stages.map(({ noise: { seed } }) => seed)).size).toBeGreaterThan(0.99 * COUNT);
});

test("the end is a low pass, and JPEG last, as often as they should", () => {
  expectShare(drawn, ({ sinc }) => sinc !== undefined, 0.8);
  expectShare(drawn, ({ isJpegLast }) => isJpegLast, 0.5);
  expectRange(drawn.flatMap(({ sinc }) => sinc ? [sinc.cutoff] : []), [Math.PI / 3, Math.PI]);
});

test("there is a second round as often as it should be", () => {
  const rounds = (second_order_prob: number) =>
    drawn.map((_, i) => drawDegradation({ ...parameters, second_order_prob }, randomOf(2, i)).stages.length);
  expect(new Set(drawn.map(({ stages }) => stages.length))).toEqual(new Set([2]));
  expect(new Set(rounds(0))).toEqual(new Set([1]));
  expectShare(rounds(0.3), (count) => count === 2, 0.3);
});

test("as many as should be are only made smaller, and the others stay what they are", () => {
  const mixed = drawn.map((_, i) => drawDegradation({ ...parameters, clean_prob: 0.3 }, randomOf(1, "degradation", i)));
  expectShare(mixed, ({ stages }) => stages.length === 0, 0.3);
  for (const [i, { stages, ...rest }] of mixed.entries()) {
    const { stages: before, ...others } = drawn[i]!;
    expect({ stages, ...rest }).toEqual(
      stages.length === 0 ? { stages: [], ...others, sinc: undefined } : { stages: before, ...others },
    );
  }
});

test("the same random numbers give the same degradation", () => {
  expect(drawDegradation(parameters, randomOf(1, "degradation", 7))).toEqual(drawn[7]);
  expect(drawn[8]).not.toEqual(drawn[7]);
});

test("describeDegradation() names the steps in their order", () => {
  const degradation: Degradation = {
    sharpen: parameters.sharpen,
    stages: [
      {
        blur: { type: "plateau_aniso", size: 9, sigma_x: 1.234, sigma_y: 2, theta: -0.5, beta: 1.5 },
        resize: { mode: "area", factor: 0.5 },
        noise: { type: "gaussian", gray: true, seed: 1, sigma: 12.34 },
        jpeg: 50,
      },
      {
        blur: undefined,
        resize: { mode: "bicubic", factor: 1 },
        noise: { type: "poisson", gray: false, seed: 2, scale: 0.5 },
        jpeg: 60,
      },
    ],
    mode: "bilinear",
    sinc: { type: "sinc", size: 7, cutoff: 2 },
    isJpegLast: false,
  };
  const start =
    "sharpen, plateau_aniso 9 sigma 1.23 2.00 theta -0.50 beta 1.50, area x0.50, gaussian gray 12.3, jpeg 50, " +
    "bicubic x1.00, poisson 0.50";
  expect(describeDegradation(degradation)).toBe(`${start}, jpeg 60, fit bilinear, sinc 7 cutoff 2.00`);
  expect(describeDegradation({ ...degradation, isJpegLast: true, sharpen: null, sinc: undefined })).toBe(
    `${start.replace("sharpen, ", "")}, fit bilinear, jpeg 60`,
  );
  expect(describeDegradation({ ...degradation, stages: [], sinc: undefined })).toBe("sharpen, fit bilinear");
});
