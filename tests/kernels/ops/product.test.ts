/** Products and convolutions by each way of computing them, whichever the adapter of the tests would take. */
import { conv2d, matmul, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { tilingOf } from "../../../packages/kernels/ops/_product.ts";
import { quantised } from "../../core/weights/_quantised.ts";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { convReference } from "../../reference/conv2d.ts";
import { gelu } from "../../reference/activation.ts";
import { matmulReference } from "../../reference/matmul.ts";

/** Each way, and `[m, k, n]`: odd and aligned, more than a tile, and fewer and more steps than are held at a time. */
const WAYS = [
  { name: "tiles of 64", way: { by: "shared", rows: 64, splits: 1 }, sizes: [[67, 19, 35]] },
  { name: "tiles of 128", way: { by: "shared", rows: 128, splits: 1 }, sizes: [[132, 36, 136]] },
  { name: "tiles of 32 x 64", way: { by: "shared", rows: 32, columns: 64, splits: 1 }, sizes: [[67, 19, 35]] },
  { name: "tiles of 64 x 128", way: { by: "shared", rows: 64, columns: 128, splits: 1 }, sizes: [[132, 36, 136]] },
  { name: "few rows", way: { by: "few" }, sizes: [[3, 72, 36], [7, 75, 5], [2, 1032, 12]] },
] as const;

const MODES = [[false, false], [false, true], [true, false], [true, true]] as const;

describe.each(WAYS)("by $name", ({ way, sizes }) => {
  const on = hardwareGpu(way);

  test.each(sizes.flatMap((size) => MODES.map((mode) => [...size, ...mode] as const)))(
    "matmul() of %i x %i x %i, transposeA %s, transposeB %s",
    async (m, k, n, transposeA, transposeB) => {
      const shape = { op: "matmul", rows: m, columns: n, depth: k, batches: 2, transposeA, transposeB } as const;
      expect(tilingOf(on, shape)).toMatchObject(way);
      const a = randomTensor([2, ...(transposeA ? [k, m] : [m, k])], 1, on);
      const b = randomTensor([2, ...(transposeB ? [n, k] : [k, n])], 2, on);
      const [bias, addend] = [randomTensor([n], 3, on), randomTensor([2, m, n], 4, on)];
      const expected = matmulReference(a.data, b.data, { m, k, n, batches: 2, transposeA, transposeB })
        .map((value, i) => gelu(0.5 * value + bias.data[i % n]! + addend.data[i]!));
      const epilogue = { alpha: 0.5, bias: bias.tensor, addend: addend.tensor, activation: "gelu" } as const;
      await expectClose(matmul(a.tensor, b.tensor, { transposeA, transposeB, ...epilogue }), expected);
    },
  );
});

test.each([["q8_0", WAYS[0]], ["q5_k", WAYS[4]], ["q5_k", WAYS[2]]] as const)(
  "matmul() of %s weights, either way round, by $name",
  async (dtype, { way }) => {
    const on = hardwareGpu(way);
    const { bytes, values } = await quantised(dtype);
    const [m, k, n] = [5, values.length / 2, 2];
    const weight = tensor(on, Uint8Array.from(bytes), [n, k], dtype);
    const [a, dy] = [randomTensor([m, k], 1, on), randomTensor([m, n], 2, on)];
    const y = matmulReference(a.data, values, { m, k, n, transposeB: true });
    await expectClose(matmul(a.tensor, weight, { transposeB: true }), y);
    await expectClose(matmul(dy.tensor, weight), matmulReference(dy.data, values, { m, k: n, n: k }));
  },
);

/** `[batches, height, width, in, out]`, with a form of kernel each; the last has few channels one way or the other. */
const CONVOLUTIONS = [
  { way: WAYS[0].way, sizes: [2, 5, 7, 18, 21], kernel: [3, 3], stride: 1 },
  { way: WAYS[0].way, sizes: [1, 9, 10, 20, 24], kernel: [3, 3], stride: 2 },
  { way: WAYS[1].way, sizes: [2, 9, 8, 24, 20], kernel: [2, 3], stride: 1 },
  { way: WAYS[2].way, sizes: [1, 9, 10, 20, 24], kernel: [3, 3], stride: 2 },
  { way: WAYS[3].way, sizes: [2, 9, 8, 24, 20], kernel: [2, 3], stride: 1 },
  { way: WAYS[4].way, sizes: [2, 5, 7, 3, 6], kernel: [3, 3], stride: 2 },
  { way: WAYS[4].way, sizes: [1, 5, 6, 12, 4], kernel: [3, 2], stride: 1 },
  { way: { by: "winograd" }, sizes: [2, 5, 7, 18, 21], kernel: [3, 3], stride: 1 },
  { way: { by: "winograd" }, sizes: [1, 8, 9, 20, 24], kernel: [3, 3], stride: 1 },
] as const;

test.each(CONVOLUTIONS)(
  "conv2d() by $way of $sizes, kernel $kernel, stride $stride, and its gradients",
  async (form) => {
    const { way, sizes: [batches, height, width, channels, outputs], kernel: size, stride } = form;
    const out = [
      Math.floor((height + 2 - size[0]) / stride) + 1,
      Math.floor((width + 2 - size[1]) / stride) + 1,
    ] as const;
    const geometry = { batches, height, width, channels, outputs, size, stride, pad: { top: 1, left: 1 }, out };
    const kernels = await expectGradients({
      x: [batches, height, width, channels],
      weight: [...size, channels, outputs],
      bias: [outputs],
      addend: [batches, ...out, outputs],
    }, {
      on: hardwareGpu(way),
      op: ({ x, weight, bias, addend }) => conv2d(x!, weight!, { stride, padding: 1, bias, addend }),
      reference: ({ x, weight, bias, addend }) =>
        convReference(x!, weight!, geometry).map((value, i) => value + bias![i % outputs]! + addend![i]!),
    });
    if (way.by !== "winograd") return;
    expect(kernels["x"]).toContain("winograd.results");
    expect(kernels["weight"]).toContain("winograd_weight.sums");
  },
);
