import { expect, test } from "vitest";
import { reflectIndex } from "../../../packages/core/image/reflect.ts";

test("reflectIndex() mirrors without repeating the edge, however far", () => {
  const indices = Array.from({ length: 15 }, (_, i) => reflectIndex(i - 5, 4));
  expect(indices).toEqual([1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
});

test("reflectIndex() alternates for two, and always gives 0 for one", () => {
  expect([-3, -2, -1, 0, 1, 2, 3].map((i) => reflectIndex(i, 2))).toEqual([1, 0, 1, 0, 1, 0, 1]);
  expect([-7, -1, 0, 1, 20].map((i) => reflectIndex(i, 1))).toEqual([0, 0, 0, 0, 0]);
});
