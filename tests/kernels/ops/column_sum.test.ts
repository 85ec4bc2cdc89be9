import { columnSum, read } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";

/** One element, one row, one column, one row more than a level takes, two levels and one row more, millions of rows. */
const CASES = [
  [[1], [1]],
  [[1, 7], [7]],
  [[5, 3], [3]],
  [[33, 1], [1]],
  [[2, 130, 6], [6]],
  [[65537, 3], [3]],
  [[1025, 64], [64]],
  [[2, 3, 5, 7, 68], [68]],
  [[2, 1000, 1000, 3], [3]],
  [[70001, 16], [16]],
  [[2, 66000], [66000]],
] as const;

test.each(CASES)("columnSum() of %j is the sum of the rows", async (shape, wanted) => {
  const x = randomTensor(shape);
  const n = wanted[0];
  const expected = new Float64Array(n);
  x.data.forEach((value, i) => expected[i % n]! += value);
  const y = columnSum(x.tensor);
  expect(y.shape).toEqual(wanted);
  await expectClose(y, expected);
  const [once, twice] = await read(y, columnSum(x.tensor));
  expect(once).toEqual(twice);
  y.dispose();
  x.tensor.dispose();
  gpu.trim();
});

test("columnSum() refuses a tensor without rows", () => {
  expect(() => columnSum(randomTensor([0, 3]).tensor)).toThrow("x must have rows: it is [0, 3]");
});
