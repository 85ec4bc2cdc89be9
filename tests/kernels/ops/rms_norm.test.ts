import { rmsNorm } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/norm.ts";

/** One element, primes, a head, a row longer than the workgroup, rows that fill no workgroup, no leading axis. */
const SHAPES = [[1, 1], [5, 7], [2, 9, 3, 16], [2, 5, 3, 128], [3, 1, 331], [17, 2], [24]];

test.each(SHAPES.map((shape) => [shape]))("rmsNorm() matches the reference for shape %j", async (shape) => {
  const x = randomTensor(shape, 1);
  const scale = randomTensor([shape.at(-1)!], 2);
  await expectClose(rmsNorm(x.tensor, { scale: scale.tensor }), reference.rmsNorm(x.data, { scale: scale.data }));
  await expectClose(
    rmsNorm(x.tensor, { scale: scale.tensor, eps: 0.1 }),
    reference.rmsNorm(x.data, { scale: scale.data, eps: 0.1 }),
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
