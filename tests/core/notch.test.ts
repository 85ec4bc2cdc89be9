import { read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { notch } from "../../packages/core/notch.ts";
import { expectClose, gpu, randomTensor } from "../helpers/gpu.ts";
import { expectGradients } from "../helpers/gradient_check.ts";
import { atrousBlur } from "../reference/picture.ts";

type Shape = readonly [number, number, number, number];

function reference(v: ArrayLike<number>, shape: Shape): number[] {
  const blurred = atrousBlur(v, { shape, dilation: 1 });
  const alternating = atrousBlur(Array.from(v, (x, i) => x - blurred[i]!), { shape, dilation: 2 });
  return Array.from(v, (x, i) => x - alternating[i]!);
}

describe.each<[Shape]>([[[1, 1, 1, 1]], [[2, 5, 7, 3]], [[1, 12, 10, 16]]])("notch() for shape %j", (shape) => {
  test("is v - B2(v - B1 v)", async () => {
    const v = randomTensor(shape);
    await expectClose(notch(v.tensor), reference(v.data, shape));
  });
  test("has the gradient of central differences", async () => {
    await expectGradients({ v: shape }, { op: ({ v }) => notch(v!), reference: ({ v }) => reference(v!, shape) });
  });
});

test.each<[string, (y: number, x: number) => number, number]>([
  ["takes rows that alternate away", (y) => (-1) ** y, 0],
  ["takes columns that alternate away", (_y, x) => (-1) ** x, 0],
  ["takes a chequerboard away", (y, x) => (-1) ** (y + x), 0],
  ["leaves a period of four latents", (_y, x) => [1, 1, -1, -1][x % 4]!, 1],
  ["leaves a slope", (y, x) => (2 * y + x) / 16, 1],
])("notch() %s", async (_, at, kept) => {
  const side = 16;
  const values = Float32Array.from({ length: side * side }, (_, i) => at(Math.floor(i / side), i % side));
  using v = tensor(gpu, values, [1, side, side, 1]);
  using found = notch(v);
  const [out = new Float32Array()] = await read(found);
  for (let y = 4; y < side - 4; y++) {
    for (let x = 4; x < side - 4; x++) expect(out[y * side + x]).toBeCloseTo(kept * values[y * side + x]!, 5);
  }
});
