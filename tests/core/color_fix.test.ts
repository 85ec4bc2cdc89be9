import { expect, test } from "vitest";
import { adainFix, waveletFix } from "../../packages/core/color_fix.ts";
import { expectClose, randomTensor } from "../helpers/gpu.ts";
import { atrousBlur } from "../reference/picture.ts";

test("waveletFix() is the picture's high frequencies and the reference's low ones", async () => {
  const shape = [1, 13, 37, 3] as const;
  const [x, y] = [randomTensor(shape, 1), randomTensor(shape, 2)];
  const low = (values: ArrayLike<number>) =>
    [1, 2, 4, 8, 16].reduce((blurred, dilation) => atrousBlur(blurred, { shape, dilation }), values);
  const [ofX, ofY] = [low(x.data), low(y.data)];
  await expectClose(waveletFix(x.tensor, y.tensor), Array.from(x.data, (value, i) => value - ofX[i]! + ofY[i]!));
});

test("adainFix() gives each channel the mean and deviation of the reference", () => {
  const own = { mean: [0.5, 0.2, 0.4], std: [0.1, 0.2, 0] } as const;
  const reference = { mean: [0.4, 0.3, 0.6], std: [0.2, 0.1, 0] } as const;
  const { gain, offset } = adainFix(own, reference);
  for (const c of [0, 1, 2] as const) {
    expect(gain[c] * own.mean[c] + offset[c]).toBeCloseTo(reference.mean[c], 12);
    expect(gain[c] * own.std[c]).toBeCloseTo(reference.std[c], 12);
  }
});
