import { expect, test } from "vitest";
import { scaledError } from "./gpu.ts";

test("scaledError() is the largest difference, relative to the largest value; NaN wherever one is NaN", () => {
  expect(scaledError([1, 2, 3], [1, 4, 3])).toBe(0.5);
  for (const actual of [[NaN, 1, 1], [1, NaN, 1], [1, 1, NaN]]) expect(scaledError(actual, [1, 1, 1])).toBeNaN();
});
