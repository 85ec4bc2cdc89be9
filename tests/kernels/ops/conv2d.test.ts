import { conv2d, read, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test, vi } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
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
  const fitting = CASES.filter(([, height, width]) => height + top + bottom >= size && width + left + right >= size);
  test.each(fitting)("matches the reference for [B %i, %i x %i, %i to %i channels]", async (...sizes) => {
    const [batches, height, width, channels, outputs] = sizes;
    const out = [
      Math.floor((height + top + bottom - size) / stride) + 1,
      Math.floor((width + left + right - size) / stride) + 1,
    ] as const;
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

/** Sizes and forms, some of them kernels without symmetry and strides that skip pixels; `pad` as above. */
const GRADIENTS = [
  { sizes: [1, 1, 1, 1, 1], size: [3, 3], stride: 1, pad: [1, 1, 1, 1] },
  { sizes: [2, 5, 7, 3, 5], size: [3, 3], stride: 1, pad: [1, 1, 1, 1] },
  { sizes: [1, 9, 13, 4, 65], size: [3, 3], stride: 1, pad: [1, 1, 1, 1] },
  { sizes: [1, 6, 5, 65, 4], size: [3, 3], stride: 1, pad: [1, 1, 1, 1] },
  { sizes: [2, 11, 6, 7, 3], size: [3, 3], stride: 2, pad: [0, 0, 1, 1] },
  { sizes: [1, 8, 9, 8, 12], size: [3, 3], stride: 2, pad: [0, 0, 1, 1] },
  { sizes: [1, 17, 8, 16, 12], size: [3, 3], stride: 2, pad: [1, 1, 1, 1] },
  { sizes: [1, 7, 5, 2, 9], size: [2, 5], stride: 1, pad: [0, 3, 2, 1] },
  { sizes: [1, 7, 11, 3, 1], size: [1, 2], stride: 3, pad: [0, 1, 0, 0] },
  { sizes: [2, 5, 7, 3, 5], size: [1, 1], stride: 1, pad: [0, 0, 0, 0] },
  { sizes: [1, 5, 7, 4, 8], size: [1, 1], stride: 2, pad: [0, 0, 0, 0] },
  { sizes: [2, 40, 66, 4, 8], size: [3, 3], stride: 1, pad: [1, 1, 1, 1] },
] as const;

test.each(GRADIENTS)(
  "conv2d() has the gradient of central differences: [B, h, w, in, out] $sizes, kernel $size, stride $stride, pad $pad",
  async ({ sizes: [batches, height, width, channels, outputs], size, stride, pad: [top, left, bottom, right] }) => {
    const out = [
      Math.floor((height + top + bottom - size[0]) / stride) + 1,
      Math.floor((width + left + right - size[1]) / stride) + 1,
    ] as const;
    const kernels = await expectGradients({
      x: [batches, height, width, channels],
      weight: [...size, channels, outputs],
      bias: [outputs],
      addend: [batches, ...out, outputs],
    }, {
      op: ({ x, weight, bias, addend }) =>
        conv2d(x!, weight!, { stride, padding: { top, left, bottom, right }, bias, addend }),
      reference: ({ x, weight, bias, addend }) =>
        convReference(x!, weight!, {
          batches,
          height,
          width,
          channels,
          outputs,
          size,
          stride,
          pad: { top, left },
          out,
        }).map((value, i) => value + bias![i % outputs]! + addend![i]!),
    });
    expect(kernels["addend"]).toEqual([]);
    expect(new Set(kernels["bias addend"])).toEqual(new Set(["column_sum"]));
    if (size[0] * size[1] * stride === 1) {
      expect(kernels["x"]).toEqual(["matmul.forward.nt"]);
      expect(kernels["weight"]).toEqual(["matmul.forward.tn"]);
    } else {
      expect(kernels["x"]).toEqual(["conv2d.backward_x"]);
      expect(kernels["weight"]!.filter((name) => name !== "column_sum")).toEqual(["conv2d.backward_weight"]);
      expect(kernels["x bias"]).not.toContain("conv2d.backward_weight");
    }
  },
);

test.each([
  { sizes: [1, 5, 7, 3, 5], size: 3, stride: 1 },
  { sizes: [2, 6, 5, 4, 20], size: 3, stride: 1 },
  { sizes: [1, 7, 6, 8, 12], size: 3, stride: 2 },
  { sizes: [2, 3, 5, 3, 7], size: 1, stride: 1 },
])("conv2d() with ReLU and its gradients: [B, h, w, in, out] $sizes, kernel $size, stride $stride", async (form) => {
  const { sizes: [batches, height, width, channels, outputs], size, stride } = form;
  const pad = (size - 1) / 2;
  const out = [Math.ceil(height! / stride), Math.ceil(width! / stride)] as const;
  const kernels = await expectGradients({
    x: [batches!, height!, width!, channels!],
    weight: [size, size, channels!, outputs!],
    bias: [outputs!],
    addend: [batches!, ...out, outputs!],
  }, {
    op: ({ x, weight, bias, addend }) =>
      conv2d(x!, weight!, { stride, padding: pad, bias, addend, activation: "relu" }),
    reference: ({ x, weight, bias, addend }) =>
      convReference(x!, weight!, {
        batches: batches!,
        height: height!,
        width: width!,
        channels: channels!,
        outputs: outputs!,
        size: [size, size],
        stride,
        pad: { top: pad, left: pad },
        out,
      }).map((value, i) => Math.max(0, value + bias![i % outputs!]! + addend![i]!)),
  });
  expect(kernels["addend"]).toEqual(["relu.backward"]);
});

test("conv2d() with ReLU is transformed only where no gradient goes through it", async () => {
  const on = hardwareGpu({ by: "winograd" });
  const [x, weight] = [randomTensor([1, 8, 9, 20], 1, on).tensor, randomTensor([3, 3, 20, 24], 2, on).tensor];
  using dispatches = vi.spyOn(on, "run");
  const run = () => {
    dispatches.mockClear();
    const y = conv2d(x, weight, { padding: 1, activation: "relu" });
    return { y, kernels: dispatches.mock.calls.map(([{ name }]) => name) };
  };
  const transformed = run();
  expect(transformed.kernels).toContain("winograd.results");
  using tape = new Tape(on);
  tape.watch(x);
  const summed = run();
  expect(summed.kernels).toEqual(["conv2d.forward"]);
  const [expected] = await read(summed.y);
  await expectClose(transformed.y, expected!);
});

test("conv2d() of one pixel leaves nothing behind", () => {
  const [x, weight] = [randomTensor([1, 3, 5, 4]).tensor, randomTensor([1, 1, 4, 6]).tensor];
  const before = gpu.memory.live;
  conv2d(x, weight, { activation: "relu" }).dispose();
  weight.dispose();
  expect(gpu.memory.live).toBe(before - weight.size * 4 - 160);
});

test("conv2d() refuses weights that are not f32", () => {
  const weight = tensor(gpu, new Uint8Array(9 * 4 * 4 * 2), [3, 3, 4, 4], "bf16");
  expect(() => conv2d(randomTensor([1, 3, 5, 4]).tensor, weight, { padding: 1 })).toThrow(
    'Cannot run "conv2d": weight must be f32: it is bf16',
  );
});

test("conv2d() refuses shapes that do not fit, in words", () => {
  const x = randomTensor([1, 4, 4, 3]).tensor;
  expect(() => conv2d(x, randomTensor([3, 3, 4, 8]).tensor)).toThrow("channels must match: x is [1, 4, 4, 3]");
  expect(() => conv2d(x, randomTensor([5, 5, 3, 8]).tensor)).toThrow("the kernel must fit the padded picture");
  const weight = randomTensor([3, 3, 3, 8]).tensor;
  expect(() => conv2d(x, weight, { bias: randomTensor([3]).tensor })).toThrow("bias must be [8]");
});
