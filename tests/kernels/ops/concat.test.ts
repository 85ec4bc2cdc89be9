import { concat, empty, gradients, multiply, read, split, sum, Tape, type Tensor, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { slice } from "../../reference/layout.ts";

/** Odd sizes, sizes that allow groups of four, an empty part, one part, rank 1 to 5. */
const CASES = [
  { shape: [5], axis: 0, parts: [2, 3] },
  { shape: [7, 3], axis: 0, parts: [1, 4, 2] },
  { shape: [2, 11, 3], axis: 1, parts: [1, 0, 10] },
  { shape: [2, 5, 24], axis: 2, parts: [8, 12, 4] },
  { shape: [2, 3, 13], axis: -1, parts: [6, 7] },
  { shape: [2, 9, 4, 8], axis: 1, parts: [9] },
  { shape: [2, 3, 2, 5, 3], axis: 3, parts: [1, 4] },
];

describe.each(CASES)("along axis $axis of $shape", ({ shape, axis, parts }) => {
  const x = randomTensor(shape);
  const at = axis < 0 ? axis + shape.length : axis;
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part, 0));

  test("split() cuts out the parts", async () => {
    const pieces = split(x.tensor, axis, parts);
    for (const [i, size] of parts.entries()) {
      expect(pieces[i]!.shape).toEqual(shape.with(at, size));
      await expectClose(pieces[i]!, slice(x.data, { shape, axis: at, start: starts[i]!, size }), 1e-30);
    }
  });
  test("concat() joins the parts again", async () => {
    const pieces = parts.map((size, i) => {
      const data = new Float32Array(slice(x.data, { shape, axis: at, start: starts[i]!, size }));
      // Deno aborts on a write of no bytes.
      return size === 0 ? empty(gpu, shape.with(at, size)) : tensor(gpu, data, shape.with(at, size));
    });
    const whole = concat(pieces, axis);
    expect(whole.shape).toEqual(shape);
    await expectClose(whole, x.data, 1e-30);
  });
});

/** Both ops are linear: g is the gradient of f for the seed s if sum(s f(v)) = sum(g v) for any v. */
async function expectEqual(left: Tensor[][], right: Tensor[][]) {
  const values = await read(...[...left, ...right].map(([a, b]) => sum(multiply(a!, b!))));
  const total = (from: number, to?: number) => values.slice(from, to).reduce((sum, [value]) => sum + value!, 0);
  expect(total(left.length)).toBeCloseTo(total(0, left.length), 4);
}

test("concat() has the right gradients", async () => {
  const [a, b, va, vb] = [1, 2, 3, 4].map((seed) => randomTensor([2, seed % 2 === 1 ? 3 : 5, 4], seed).tensor);
  const seed = randomTensor([2, 8, 4], 5).tensor;
  using tape = new Tape(gpu);
  tape.watch(a!);
  tape.watch(b!);
  const [da, db] = gradients(tape, concat([a!, b!], 1), { seed, wanted: [a!, b!] });
  await expectEqual([[seed, concat([va!, vb!], 1)]], [[da!, va!], [db!, vb!]]);
});

test("split() has the right gradient", async () => {
  const [x, v] = [1, 2].map((seed) => randomTensor([2, 7, 3], seed).tensor);
  const seeds = [3, 4].map((seed) => randomTensor([2, seed, 3], seed).tensor);
  using tape = new Tape(gpu);
  tape.watch(x!);
  const [left, right] = split(x!, 1, [3, 4]);
  const joined = concat([multiply(left!, seeds[0]!), multiply(right!, seeds[1]!)], 1);
  const [dx] = gradients(tape, joined, {
    seed: tensor(gpu, new Float32Array(42).fill(1), [2, 7, 3]),
    wanted: [x!],
  });
  const [vl, vr] = split(v!, 1, [3, 4]);
  await expectEqual([[seeds[0]!, vl!], [seeds[1]!, vr!]], [[dx!, v!]]);
});

test("split() gives a part that nothing is made of a gradient of 0, whatever its values", async () => {
  const x = tensor(gpu, Float32Array.of(1, Infinity, NaN), [3]);
  using tape = new Tape(gpu);
  tape.watch(x);
  const [used] = split(x, 0, [1, 2]);
  const [dx] = gradients(tape, used!, { seed: tensor(gpu, Float32Array.of(5), [1]), wanted: [x] });
  expect(await read(dx!)).toEqual([Float32Array.of(5, 0, 0)]);
});

test("concat() refuses other shapes and no tensors, split() wrong sizes", () => {
  const x = randomTensor([2, 3]).tensor;
  expect(() => concat([x, randomTensor([3, 3]).tensor], 1)).toThrow("x must be [2, 3]: it is [3, 3]");
  expect(() => concat([], 0)).toThrow("at least one tensor");
  expect(() => concat([x], 2)).toThrow("axis must be one of [2, 3]: it is 2");
  expect(() => split(x, 1, [1, 1])).toThrow("sizes must add up to 3: they are [1, 1]");
});
