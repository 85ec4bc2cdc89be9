import { describe, expect, test } from "vitest";
import { winogradWeight } from "../../../packages/kernels/ops/winograd_weight.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { convWeightReference, geometryOf } from "../../reference/conv2d.ts";

/** [batches, height, width, in, out]: one pixel, primes, channels that are no multiple of 4, tile + 1, several bands. */
const CASES = [
  [1, 1, 1, 1, 1],
  [2, 5, 7, 3, 5],
  [1, 4, 8, 4, 8],
  [2, 11, 6, 7, 12],
  [2, 33, 37, 1, 512],
] as const;

describe.each([[[1, 1, 1, 1]], [[0, 0, 1, 1]], [[2, 1, 0, 2]]])("winogradWeight() with padding %j", (padding) => {
  const [top = 0, left = 0, bottom = 0, right = 0] = padding;
  const fitting = CASES.filter(([, height, width]) => Math.min(height + top + bottom, width + left + right) >= 3);
  test.each(fitting)("is the gradient for [B %i, %i x %i, %i to %i channels]", async (...sizes) => {
    const [batches, height, width, channels, outputs] = sizes;
    const out = [height + top + bottom - 2, width + left + right - 2] as const;
    const x = randomTensor([batches, height, width, channels], 1);
    const dy = randomTensor([batches, ...out, outputs], 2);
    const before = gpu.memory.live;
    const pad = { top, left };
    const form = { batches, height, width, channels, outputs, size: [3, 3], stride: 1, pad, out } as const;
    const dw = winogradWeight([x.tensor, dy.tensor], [3, 3, channels, outputs], geometryOf(form));
    await expectClose(dw, convWeightReference(x.data, dy.data, form));
    dw.dispose();
    expect(gpu.memory.live).toBe(before);
  });
});
