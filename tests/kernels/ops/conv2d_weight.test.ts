import { describe, expect, test, vi } from "vitest";
import { conv2dWeight } from "../../../packages/kernels/ops/conv2d_weight.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";

/** [batches, height, width, in, out], 3x3 with padding 1: sums of one chunk of lines, and of several, channels odd and even. */
const SIZES = [[2, 5, 7, 3, 6], [2, 61, 9, 5, 4], [1, 90, 6, 8, 7]] as const;

/** dw[ky, kx, i, o]: plain loops in f64. */
function weightReference(x: ArrayLike<number>, dy: ArrayLike<number>, sizes: readonly number[]): Float64Array {
  const [batches = 0, height = 0, width = 0, channels = 0, outputs = 0] = sizes;
  const dw = new Float64Array(9 * channels * outputs);
  for (let at = 0; at < batches * height * width; at++) {
    const [row, column] = [Math.floor(at / width) % height, at % width];
    for (let tap = 0; tap < 9; tap++) {
      const [down, right] = [Math.floor(tap / 3) - 1, tap % 3 - 1];
      if (row + down < 0 || row + down >= height || column + right < 0 || column + right >= width) continue;
      const under = at + down * width + right;
      for (let i = 0; i < channels; i++) {
        for (let o = 0; o < outputs; o++) {
          dw[(tap * channels + i) * outputs + o]! += x[under * channels + i]! * dy[at * outputs + o]!;
        }
      }
    }
  }
  return dw;
}

describe.each([{ name: "as the adapter has it", on: gpu }, { name: "as hardware has it", on: hardwareGpu() }])(
  "conv2dWeight() $name",
  ({ on }) => {
    test.each(SIZES)("matches the reference for [B %i, %i x %i, %i to %i channels]", async (...sizes) => {
      const [batches, height, width, channels, outputs] = sizes;
      const x = randomTensor([batches, height, width, channels], 1, on);
      const dy = randomTensor([batches, height, width, outputs], 2, on);
      const run = vi.spyOn(on, "run");
      const dw = conv2dWeight([x.tensor, dy.tensor], [3, 3, channels, outputs], {
        n: outputs,
        c_in: channels,
        height,
        width,
        out_height: height,
        out_width: width,
        kernel_height: 3,
        kernel_width: 3,
        stride: 1,
        pad_top: 1,
        pad_left: 1,
      });
      const chunks = run.mock.calls[0]?.[1].groups[2] ?? 0;
      run.mockRestore();
      expect(chunks > 1).toBe(height > 5);
      await expectClose(dw, weightReference(x.data, dy.data, sizes));
    });
  },
);
