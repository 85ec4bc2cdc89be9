import { layerNorm, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import * as reference from "../../reference/norm.ts";

test("layerNorm() spreads more than 65535 workgroups over two dimensions", async () => {
  const shape = [1, 65537 * 8, 2] as const;
  const x = randomTensor(shape);
  // The eps keeps two values that happen to be close from being blown up.
  const eps = 0.01;
  await expectClose(layerNorm(x.tensor, { eps }), reference.layerNorm(x.data, { shape, eps }));
});

/** Next to 100 an f32 is exact to 4e-6, and so is the mean, which is 1e-4 of the deviation: no method can do better. */
const OFFSET = 2e-4;

test("layerNorm() keeps its precision where the mean is much larger than the deviation", async () => {
  const shape = [1, 2, 1000] as const;
  const data = random(shape).map((value) => 100 + 0.1 * value);
  await expectClose(layerNorm(tensor(gpu, data, shape)), reference.layerNorm(data, { shape }), OFFSET);
});

/** One element, one row, primes, rows of fours, a strip and one more of rows, rows longer than the workgroup. */
const GRADIENT_SHAPES = [[1, 1, 1], [2, 1, 7], [2, 17, 5], [3, 9, 12], [2, 3, 331]] as const;

describe.each([["a software adapter", gpu], ["hardware", hardwareGpu()]])("on %s", (_, on) => {
  test.each(GRADIENT_SHAPES)(
    "layerNorm() and its gradient for [B %i, L %i, D %i]",
    async (...shape) => {
      const [batches, , width] = shape;
      await expectGradients({ x: shape }, {
        op: ({ x }) => layerNorm(x!, { eps: 0.01 }),
        reference: ({ x }) => reference.layerNorm(x!, { shape, eps: 0.01 }),
        on,
      });
      const kernels = await expectGradients({ x: shape, shift: [batches, width], scale: [batches, width] }, {
        op: ({ x, shift, scale }) => layerNorm(x!, { shift, scale, eps: 0.01 }),
        reference: ({ x, shift, scale }) => reference.layerNorm(x!, { shape, shift: shift!, scale: scale!, eps: 0.01 }),
        on,
      });
      expect(kernels.x).toEqual(["layer_norm.backward", "layer_norm.backward_rows"]);
    },
  );
});

test("layerNorm() refuses wrong shapes", () => {
  const x = randomTensor([2, 3, 4]).tensor;
  const row = randomTensor([2, 4]).tensor;
  const wrong = randomTensor([3, 4]).tensor;
  expect(() => layerNorm(row)).toThrow("x must be [B, L, D]: it is [2, 4]");
  expect(() => layerNorm(x, { shift: row, scale: wrong })).toThrow("scale must be [2, 4]: it is [3, 4]");
  expect(() => layerNorm(x, { shift: row })).toThrow("only one is given");
});
