import { rmsNorm } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import * as reference from "../../reference/norm.ts";

/** One element, primes, rows of fours, heads, a row longer than the workgroup, rows that fill no workgroup, no leading axis. */
const SHAPES = [[1, 1], [5, 7], [3, 11, 12], [2, 9, 3, 16], [2, 5, 3, 128], [3, 1, 331], [17, 2], [24]];
const WAYS = [["its own", gpu], ["hardware's", hardwareGpu()]] as const;

/** One element, primes, rows of fours, heads in one to eight lanes, strips of rows and one more, a row longer than the workgroup. */
const GRADIENT_SHAPES = [
  ...[[1, 1], [5, 7], [17, 12], [16, 3], [33, 2], [2, 149, 6], [3, 1, 331], [24]],
  ...[[2, 9, 3, 16], [32, 32], [3, 11, 64], [65, 128]],
];

describe.each(WAYS)("rmsNorm() in %s way", (_, on) => {
  test.each(SHAPES.map((shape) => [shape]))("matches the reference for shape %j", async (shape) => {
    const x = randomTensor(shape, 1, on);
    const scale = randomTensor([shape.at(-1)!], 2, on);
    await expectClose(rmsNorm(x.tensor, { scale: scale.tensor }), reference.rmsNorm(x.data, { scale: scale.data }));
    await expectClose(
      rmsNorm(x.tensor, { scale: scale.tensor, eps: 0.1 }),
      reference.rmsNorm(x.data, { scale: scale.data, eps: 0.1 }),
    );
  });

  test.each(GRADIENT_SHAPES.map((shape) => [shape]))(
    "has the gradient of central differences for shape %j",
    async (shape) => {
      const kernels = await expectGradients({ x: shape, scale: [shape.at(-1)!] }, {
        op: ({ x, scale }) => rmsNorm(x!, { scale: scale!, eps: 0.01 }),
        reference: ({ x, scale }) => reference.rmsNorm(x!, { scale: scale!, eps: 0.01 }),
        on,
      });
      expect(kernels.x).not.toContain("column_sum");
    },
  );
});

test("rmsNorm() spreads more than 65535 workgroups over two dimensions", async () => {
  const x = randomTensor([65535 * 8 + 3, 2], 1);
  const scale = randomTensor([2], 2);
  await expectClose(rmsNorm(x.tensor, { scale: scale.tensor }), reference.rmsNorm(x.data, { scale: scale.data }));
});

test("rmsNorm() refuses a scale of another width", () => {
  const x = randomTensor([2, 4]).tensor;
  const scale = randomTensor([3]).tensor;
  expect(() => rmsNorm(x, { scale })).toThrow('Cannot run "rms_norm": scale must be [4]: it is [3]');
});
