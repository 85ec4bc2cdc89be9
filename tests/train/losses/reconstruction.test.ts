import { read } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import {
  imageGradientError,
  meanAbsoluteError,
  meanSquaredError,
} from "../../../packages/train/losses/reconstruction.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { randomTensor } from "../../helpers/gpu.ts";

type Values = ArrayLike<number>;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function residuals(x: Values, target: Values): number[] {
  return Array.from(x, (value, i) => value - target[i]!);
}

/** The mean magnitude of the differences of `values [B, h, w, C]` along axis 1, plus that along axis 2. */
function edges(values: readonly number[], [, height, width, channels]: readonly number[]): number {
  const row = width! * channels!;
  const down = values.flatMap((value, i) =>
    Math.floor(i / row) % height! > 0 ? [Math.abs(value - values[i - row]!)] : []
  );
  const right = values.flatMap((value, i) => i % row >= channels! ? [Math.abs(value - values[i - channels!]!)] : []);
  return mean(down) + mean(right);
}

test.each([[[1]], [[2, 3, 5, 7]]])("meanSquaredError() matches the formula for shape %j", async (shape) => {
  await expectGradients({ x: shape, target: shape }, {
    op: ({ x, target }) => meanSquaredError(x!, target!),
    reference: ({ x, target }) => [mean(residuals(x!, target!).map((each) => each ** 2))],
  });
});

test.each([[[1]], [[2, 3, 5, 7]]])("meanAbsoluteError() matches the formula for shape %j", async (shape) => {
  await expectGradients({ x: shape, target: shape }, {
    op: ({ x, target }) => meanAbsoluteError(x!, target!),
    reference: ({ x, target }) => [mean(residuals(x!, target!).map(Math.abs))],
  });
});

test.each([[[1, 2, 2, 1]], [[2, 3, 5, 7]], [[1, 17, 4, 3]]])(
  "imageGradientError() matches the formula for shape %j",
  async (shape) => {
    await expectGradients({ x: shape, target: shape }, {
      op: ({ x, target }) => imageGradientError(x!, target!),
      reference: ({ x, target }) => [edges(residuals(x!, target!), shape)],
    });
  },
);

test("imageGradientError() does not see what all pixels differ by", async () => {
  const x = randomTensor([1, 4, 5, 1]);
  const brighter = randomTensor([1, 4, 5, 1]);
  const [same] = await read(imageGradientError(x.tensor, brighter.tensor));
  expect(same).toEqual(Float32Array.of(0));
});
