import { read, scoped, swap } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

test.each([[[1]], [[3, 67]], [[2, 5, 64]]])("swap() exchanges %j and twice changes nothing", async (shape) => {
  const [a, b] = [randomTensor(shape, 1).tensor, randomTensor(shape, 2).tensor];
  const before = await read(a, b);
  swap(a, b);
  expect(await read(b, a)).toEqual(before);
  swap(a, b);
  expect(await read(a, b)).toEqual(before);
  for (const each of [a, b]) each.dispose();
});

test("swap() refuses different shapes", () => {
  scoped(gpu, () => {
    expect(() => swap(randomTensor([2, 3], 1).tensor, randomTensor([3, 2], 1).tensor)).toThrow('Cannot run "swap"');
  });
});
