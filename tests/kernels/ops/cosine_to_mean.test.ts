import { cosineToMean, gradients, read, Tape, type Tensor, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { cosineToMean as reference } from "../../reference/cosine_to_mean.ts";
import { slope } from "../../reference/central_differences.ts";

/** Primes, one more than a strip of tokens, two strips and one more than a workgroup of channels. */
const SHAPES = [[1, 7, 2], [2, 3, 7], [1, 65, 3], [2, 129, 65]];

/** A token alone: its cosine is 1, the gradient what f32 leaves of the difference of equal terms. */
const ALONE = [[1, 1, 1], [2, 1, 5]];
const CANCELLED = 1e-4;

test.each([
  ...SHAPES.map((shape) => ({ shape, tolerance: 1e-5 })),
  ...ALONE.map((shape) => ({ shape, tolerance: CANCELLED })),
])("cosineToMean() and its gradient for shape $shape", async ({ shape, tolerance }) => {
  const op = ({ x }: Readonly<Record<string, Tensor>>) => cosineToMean(x!);
  await expectGradients({ x: shape }, { op, reference: ({ x }) => reference(x!, shape) }, tolerance);
});

test("cosineToMean() adds eps to the product of lengths", async () => {
  const shape = [1, 3, 5];
  const x = randomTensor(shape);
  await expectClose(cosineToMean(x.tensor, { eps: 0.5 }), reference(x.data, shape, 0.5));
});

test("cosineToMean() is exact for tokens that are nearly alike", async () => {
  const shape = [1, 40, 33];
  const { data } = randomTensor(shape);
  const near = data.map((value, i) => 3 + Math.sin(i % 33) + 1e-3 * value);
  const x = tensor(gpu, near, shape);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = cosineToMean(x);
  const [dx] = gradients(tape, y, { seed: tensor(gpu, new Float32Array(40).fill(1), [1, 40]), wanted: [x] });
  await expectClose(y, reference(near, shape), 1e-6);
  // The gradient is a thousandth of the terms that it is the difference of.
  const [values] = await read(dx!);
  const largest = values!.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  for (const at of [0, 500, 1319]) {
    const expected = slope((distance) =>
      reference(Float64Array.from(near).with(at, near[at]! + distance), shape).reduce((sum, each) => sum + each, 0)
    );
    expect(Math.abs(values![at]! - expected) / largest).toBeLessThan(1e-3);
  }
});

test("cosineToMean() gives 0 and no NaN for tokens of zeros", async () => {
  const x = tensor(gpu, new Float32Array(6), [1, 2, 3]);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = cosineToMean(x);
  const [dx] = gradients(tape, y, { seed: randomTensor([1, 2]).tensor, wanted: [x] });
  expect(await read(y, dx!)).toEqual([new Float32Array(2), new Float32Array(6)]);
});

test("cosineToMean() refuses other ranks", () => {
  expect(() => cosineToMean(randomTensor([2, 3]).tensor)).toThrow("x must be [B, L, D]: it is [2, 3]");
});
