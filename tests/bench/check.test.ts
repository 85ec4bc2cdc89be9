import { tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { ofResults } from "../../bench/case.ts";
import { checkWork, sampledError, WrongResultError } from "../../bench/check.ts";
import { gpu } from "../helpers/gpu.ts";

test("the error is relative to the largest sample", () => {
  expect(sampledError([[1, 2, 3.5]], [{ at: 0, expected: 1 }, { at: 2, expected: 3.5 }])).toBe(0);
  expect(sampledError([[1, 2, 3]], [{ at: 0, expected: 2 }, { at: 1, expected: -4 }])).toBe(1.5);
});

test("of several results, each has a largest sample of its own", () => {
  const samples = ofResults([[{ at: 0, expected: 1000 }], [{ at: 1, expected: 2 }]]);
  expect(sampledError([[1000], [0, 1]], samples)).toBe(0.5);
  expect(sampledError([[1000]], ofResults([[{ at: 0, expected: 1000 }], [{ at: 0, expected: 2 }]]))).toBeNaN();
});

test.each([
  ["NaN", [NaN, 1], [{ at: 0, expected: 1 }]],
  ["a result that is too short", [1], [{ at: 1, expected: 1 }]],
  ["no samples", [1], []],
  ["samples that are all zero", [0], [{ at: 0, expected: 0 }]],
])("%s is no match", (_, values, samples) => {
  expect(sampledError([values], samples)).toBeNaN();
});

test("a kernel with a wrong value cannot be timed", async () => {
  const work = (expected: number) => ({
    inputs: [],
    run: () => tensor(gpu, new Float32Array([1, 2, 3]), [3]),
    samples: () => [{ at: 1, expected }],
  });
  await expect(checkWork(gpu, "it", work(2))).resolves.toBeUndefined();
  await expect(checkWork(gpu, "it", work(2.001))).rejects.toThrow(WrongResultError);
});
