import { gateResidual } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { randomTensor } from "../../helpers/gpu.ts";

/** One element, primes, a workgroup and one more, a strip and one more of tokens, more than two strips. */
const SHAPES = [[1, 1, 1], [2, 3, 5], [1, 13, 65], [3, 7, 64], [2, 8, 3], [2, 9, 12], [3, 71, 2]] as const;

test.each(SHAPES)(
  "gateResidual() and its gradient match the reference for [B %i, L %i, D %i]",
  async (batches, length, width) => {
    const shape = [batches, length, width];
    const kernels = await expectGradients({ x: shape, y: shape, gate: [batches, width] }, {
      op: ({ x, y, gate }) => gateResidual(x!, y!, { gate: gate! }),
      reference: ({ x, y, gate }) =>
        Float64Array.from(
          x!,
          (value, i) => value + gate![Math.floor(i / (length * width)) * width + i % width]! * y![i]!,
        ),
    });
    expect(kernels.x).toEqual([]);
    expect(kernels["x y"]).toEqual(["gate_residual.backward"]);
  },
);

test("gateResidual() refuses wrong shapes", () => {
  const x = randomTensor([2, 3, 4]).tensor;
  const gate = randomTensor([2, 4]).tensor;
  expect(() => gateResidual(x, randomTensor([2, 4, 3]).tensor, { gate })).toThrow("y must be [2, 3, 4]");
  expect(() => gateResidual(x, x, { gate: x })).toThrow("gate must be [2, 4]: it is [2, 3, 4]");
});
