import { describe, expect, test, vi } from "vitest";
import { conv2dWeight } from "../../../packages/kernels/ops/conv2d_weight.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { convWeightReference, geometryOf } from "../../reference/conv2d.ts";

/** [batches, height, width, in, out], 3x3 with padding 1: sums of one chunk of lines, and of several, channels odd and even. */
const SIZES = [[2, 5, 7, 3, 6], [2, 61, 9, 5, 4], [1, 90, 6, 8, 7]] as const;

describe.each([{ name: "as the adapter has it", on: gpu }, { name: "as hardware has it", on: hardwareGpu() }])(
  "conv2dWeight() $name",
  ({ on }) => {
    test.each(SIZES)("matches the reference for [B %i, %i x %i, %i to %i channels]", async (...sizes) => {
      const [batches, height, width, channels, outputs] = sizes;
      const x = randomTensor([batches, height, width, channels], 1, on);
      const dy = randomTensor([batches, height, width, outputs], 2, on);
      const pad = { top: 1, left: 1 }, out = [height, width] as const;
      const form = { batches, height, width, channels, outputs, size: [3, 3], stride: 1, pad, out } as const;
      const run = vi.spyOn(on, "run");
      const dw = conv2dWeight([x.tensor, dy.tensor], [3, 3, channels, outputs], geometryOf(form));
      const chunks = run.mock.calls[0]?.[1].groups[2] ?? 0;
      run.mockRestore();
      expect(chunks > 1).toBe(height > 5);
      await expectClose(dw, convWeightReference(x.data, dy.data, form));
    });
  },
);
