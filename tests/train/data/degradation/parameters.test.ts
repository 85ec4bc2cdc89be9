import { InputError } from "@fluxsr/core";
import { afterAll, describe, expect, test } from "vitest";
import { parseDegradation, readDegradation } from "../../../../packages/train/data/degradation/parameters.ts";

const folder = Deno.makeTempDirSync({ prefix: "fluxsr-degradation-" });
afterAll(() => Deno.removeSync(folder, { recursive: true }));

function refusal(json: unknown): { message: string; hint: string | undefined } {
  try {
    parseDegradation(json, { file: "d.json" });
  } catch (error) {
    if (error instanceof InputError) return { message: error.message, hint: error.hint };
  }
  throw new Error("it was accepted");
}

test("readDegradation() without a file gives Real-ESRGAN's parameters", async () => {
  const { first, second, ...rest } = await readDegradation();
  expect([first.resize_range, second.resize_range]).toEqual([[0.15, 1.5], [0.3, 1.2]]);
  expect([first.resize_prob, second.resize_prob]).toEqual([
    { up: 0.2, down: 0.7, keep: 0.1 },
    { up: 0.3, down: 0.4, keep: 0.3 },
  ]);
  expect([first.blur_sigma, second.blur_sigma]).toEqual([[0.2, 3], [0.2, 1.5]]);
  expect([first.noise_range, second.noise_range]).toEqual([[1, 30], [1, 25]]);
  expect([first.poisson_scale_range, second.poisson_scale_range]).toEqual([[0.05, 3], [0.05, 2.5]]);
  expect([first.blur_prob, second.blur_prob]).toEqual([1, 0.8]);
  for (const stage of [first, second]) {
    expect(Object.values(stage.kernel_prob)).toEqual([0.45, 0.25, 0.12, 0.03, 0.12, 0.03]);
    expect([stage.kernel_size, stage.betag_range, stage.betap_range, stage.jpeg_range])
      .toEqual([[7, 21], [0.5, 4], [1, 2], [30, 95]]);
    expect([stage.sinc_prob, stage.gaussian_noise_prob, stage.gray_noise_prob]).toEqual([0.1, 0.5, 0.4]);
  }
  expect(rest).toEqual({
    sharpen: { size: 51, sigma: 8, weight: 0.5, threshold: 10 },
    second_order_prob: 1,
    clean_prob: 0,
    final_sinc_prob: 0.8,
    final_kernel_size: [7, 21],
    jpeg_last_prob: 0.5,
  });
});

test("a file changes what it names alone", async () => {
  const path = `${folder}/mild.json`;
  await Deno.writeTextFile(
    path,
    JSON.stringify({ second_order_prob: 0, sharpen: null, first: { jpeg_range: [70, 90], kernel_prob: { iso: 1 } } }),
  );
  const { first, ...rest } = await readDegradation();
  const kernel_prob = Object.fromEntries(Object.keys(first.kernel_prob).map((kind) => [kind, Number(kind === "iso")]));
  expect(await readDegradation(path)).toEqual({
    ...rest,
    second_order_prob: 0,
    sharpen: null,
    first: { ...first, jpeg_range: [70, 90], kernel_prob },
  });
});

describe("parseDegradation() refuses", () => {
  test.each([
    [{ frist: {} }, 'keys must be known ones: it has "frist"', '"first"'],
    [{ second: { blur_porb: 1 } }, 'keys of second must be known ones: it has "blur_porb"', '"blur_prob"'],
    [{ first: { resize_prob: { dwon: 1 } } }, 'keys of first.resize_prob must be known ones: it has "dwon"', '"down"'],
    [{ sharpen: { radius: 1 } }, 'keys of sharpen must be known ones: it has "radius"', "did you mean"],
  ])("%j", (json, message, hint) => {
    const found = refusal(json);
    expect(found.message).toBe(`Cannot use the degradation "d.json": ${message}`);
    expect(found.hint).toContain(hint);
  });

  test.each([
    [[], "it must be a JSON object: it is []"],
    [{ first: 3 }, "first must be an object: it is 3"],
    [{ second_order_prob: 1.5 }, "second_order_prob must be a number from 0 to 1: it is 1.5"],
    [{ first: { blur_prob: "1" } }, 'first.blur_prob must be a number from 0 to 1: it is "1"'],
    [
      { first: { noise_range: [5, 1] } },
      "first.noise_range must be two numbers of at least 0, the lower first: it is [5,1]",
    ],
    [
      { first: { jpeg_range: [30, 101] } },
      "first.jpeg_range must be two numbers, whole, from 1 to 100, the lower first: it is [30,101]",
    ],
    [{ first: { kernel_size: [7, 20] } }, "first.kernel_size must be two numbers, odd, the lower first: it is [7,20]"],
    [
      { second: { resize_range: [1.1, 2] } },
      "second.resize_range must be two numbers above 0, the first at most 1, the second at least 1: it is [1.1,2]",
    ],
    [
      { first: { kernel_prob: { iso: 0 } } },
      'first.kernel_prob must be an object with a number above 0 for one of its keys: it is {"iso":0}',
    ],
    [{ first: { resize_prob: { up: -1 } } }, "first.resize_prob.up must be a number of at least 0: it is -1"],
    [{ sharpen: { size: 50 } }, "sharpen.size must be an odd number: it is 50"],
    [{ sharpen: 1 }, "sharpen must be an object, or null: it is 1"],
  ])("%j", (json, message) => {
    expect(refusal(json).message).toBe(`Cannot use the degradation "d.json": ${message}`);
  });

  test("a file that is missing or no JSON", async () => {
    await expect(readDegradation(`${folder}/none.json`)).rejects.toThrow("no such file");
    await Deno.writeTextFile(`${folder}/text.json`, "{");
    await expect(readDegradation(`${folder}/text.json`)).rejects.toThrow("contents must be JSON");
  });
});
