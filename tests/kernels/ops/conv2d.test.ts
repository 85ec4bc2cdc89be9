import { conv2d } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import { convReference } from "../../reference/conv2d.ts";

/** [batches, height, width, in, out]: one pixel, primes, channels that are no multiple of 4, tile + 1, non-square. */
const CASES = [
  [1, 1, 1, 1, 1],
  [1, 5, 7, 3, 5],
  [2, 4, 3, 8, 8],
  [1, 9, 13, 4, 65],
  [2, 11, 6, 7, 3],
  [1, 17, 8, 16, 12],
  [1, 2, 66, 6, 16],
] as const;

/** Every kind of convolution of the networks; `pad` is [top, left, bottom, right]. */
const FORMS = [
  { name: "3x3 stride 1", size: 3, stride: 1, pad: [1, 1, 1, 1] },
  { name: "3x3 stride 2 padded right and below", size: 3, stride: 2, pad: [0, 0, 1, 1] },
  { name: "3x3 stride 2 padded all around", size: 3, stride: 2, pad: [1, 1, 1, 1] },
  { name: "1x1 stride 1", size: 1, stride: 1, pad: [0, 0, 0, 0] },
  { name: "1x1 stride 2", size: 1, stride: 2, pad: [0, 0, 0, 0] },
] as const;

describe.each(FORMS)("conv2d() $name", ({ size, stride, pad: [top, left, bottom, right] }) => {
  test.each(CASES)("matches the reference for [B %i, %i x %i, %i to %i channels]", async (...sizes) => {
    const [batches, height, width, channels, outputs] = sizes;
    const out = [
      Math.floor((height + top + bottom - size) / stride) + 1,
      Math.floor((width + left + right - size) / stride) + 1,
    ] as const;
    if (Math.min(...out) < 1) return;
    const x = randomTensor([batches, height, width, channels], 1);
    const weight = randomTensor([size, size, channels, outputs], 2);
    const bias = randomTensor([outputs], 3);
    const addend = randomTensor([batches, ...out, outputs], 4);
    const plain = convReference(x.data, weight.data, {
      batches,
      height,
      width,
      channels,
      outputs,
      size: [size, size],
      stride,
      pad: { top, left },
      out,
    });
    const options = { stride, padding: { top, left, bottom, right } };
    const y = conv2d(x.tensor, weight.tensor, options);
    expect(y.shape).toEqual([batches, ...out, outputs]);
    await expectClose(y, plain);
    const fused = conv2d(x.tensor, weight.tensor, { ...options, bias: bias.tensor, addend: addend.tensor });
    await expectClose(fused, plain.map((value, i) => value + bias.data[i % outputs]! + addend.data[i]!));
  });
});

test("conv2d() refuses shapes that do not fit, in words", () => {
  const x = randomTensor([1, 4, 4, 3]).tensor;
  expect(() => conv2d(x, randomTensor([3, 3, 4, 8]).tensor)).toThrow("channels must match: x is [1, 4, 4, 3]");
  expect(() => conv2d(x, randomTensor([5, 5, 3, 8]).tensor)).toThrow("the kernel must fit the padded picture");
  const weight = randomTensor([3, 3, 3, 8]).tensor;
  expect(() => conv2d(x, weight, { bias: randomTensor([3]).tensor })).toThrow("bias must be [8]");
});
