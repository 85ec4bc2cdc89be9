import { gelu, gradients, read, relu, scale, silu, Tape, type Tensor, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/activation.ts";

const ACTIVATIONS = [["relu()", relu, reference.relu], ["gelu()", gelu, reference.gelu], [
  "silu()",
  silu,
  reference.silu,
]] as const;

/** One element, a prime, a workgroup and one more, batch 2 and non-square. */
const SHAPES = [[1], [7], [65], [2, 3, 31, 5]];

describe.each(ACTIVATIONS)("%s", (_, op, plain) => {
  test.each(SHAPES.map((shape) => [shape]))("and its gradient match the reference for shape %j", async (shape) => {
    await expectGradients({ x: shape }, {
      op: ({ x }) => op(scale(x!, 6)),
      reference: ({ x }) => Float64Array.from(x!, (value) => plain(6 * value)),
    });
  });

  test("matches the reference near zero", async () => {
    const { data, tensor: x } = randomTensor([65]);
    await expectClose(op(x), Array.from(data, plain));
  });

  test("is 0 or x, and its derivative 0 or 1, never NaN, for large magnitudes", async () => {
    const x = [-3e38, -1e20, -1000, -100, -50, 0, 50, 100, 1000, 1e20, 3e38];
    const [y, dx] = await derivative(op, x);
    x.forEach((value, i) => {
      if (value >= 0) expect(y![i]).toBe(Math.fround(value));
      else expect(Math.abs(y![i]! / value)).toBeLessThan(1e-20);
      if (value !== 0) expect(Math.abs(dx![i]! - Number(value > 0))).toBeLessThan(1e-18);
    });
  });
});

test("relu() has the derivative 0 at 0", async () => {
  const [, dx] = await derivative(relu, [0, -0]);
  expect(dx).toEqual(Float32Array.of(0, 0));
});

/** Values and derivatives of `op` at `points`. */
function derivative(op: (x: Tensor) => Tensor, points: readonly number[]): Promise<Float32Array[]> {
  const x = tensor(gpu, Float32Array.from(points), [points.length]);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = op(x);
  const seed = tensor(gpu, new Float32Array(points.length).fill(1), [points.length]);
  return read(y, ...gradients(tape, y, { seed, wanted: [x] }));
}

test("gelu() refuses packed weights", () => {
  const packed = tensor(gpu, new Uint8Array(4), [2], "bf16");
  expect(() => gelu(packed)).toThrow('Cannot run "gelu": x must be f32: it is bf16');
});
