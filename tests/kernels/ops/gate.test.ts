import { gateResidual } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";

const SHAPES = [[1, 1, 1], [2, 3, 5], [1, 13, 65], [3, 7, 64]] as const;

test.each(SHAPES.map((shape) => [shape]))("gateResidual() matches the reference for shape %j", async (shape) => {
  const [batches, length, width] = shape;
  const x = randomTensor(shape, 1);
  const y = randomTensor(shape, 2);
  const gate = randomTensor([batches, width], 3);
  await expectClose(
    gateResidual(x.tensor, y.tensor, { gate: gate.tensor }),
    Array.from(
      x.data,
      (value, i) => value + gate.data[Math.floor(i / (length * width)) * width + i % width]! * y.data[i]!,
    ),
  );
});

test("gateResidual() refuses wrong shapes", () => {
  const x = randomTensor([2, 3, 4]).tensor;
  const gate = randomTensor([2, 4]).tensor;
  expect(() => gateResidual(x, randomTensor([2, 4, 3]).tensor, { gate })).toThrow("y must be [2, 3, 4]");
  expect(() => gateResidual(x, x, { gate: x })).toThrow("gate must be [2, 4]: it is [2, 3, 4]");
});
