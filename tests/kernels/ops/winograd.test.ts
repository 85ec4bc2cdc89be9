import { empty, type Gpu } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { winograd } from "../../../packages/kernels/ops/winograd.ts";
import { tilingByRule } from "../../../packages/kernels/tuning/rules.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { convReference, geometryOf } from "../../reference/conv2d.ts";

/** [batches, height, width, in, out]: one pixel, primes, channels that are no multiple of 4, tile + 1, non-square. */
const CASES = [
  [1, 1, 1, 1, 1],
  [2, 5, 7, 3, 5],
  [1, 4, 8, 4, 8],
  [1, 3, 13, 8, 3],
  [2, 11, 6, 7, 12],
] as const;

/** Of all sides, and of each its own. */
const PADDINGS = [[1, 1, 1, 1], [0, 0, 1, 1], [2, 1, 0, 2]] as const;

const lanes = { ...gpu.adapter, subgroups: { min: 8, max: 8 } };

/** Kernels turned by half a turn, from output channels to input channels. */
function turned(weight: ArrayLike<number>, [inner, outer]: readonly [number, number]): Float32Array {
  return Float32Array.from({ length: weight.length }, (_, i) => {
    const tap = Math.floor(i / (inner * outer)), from = Math.floor(i / inner) % outer, to = i % inner;
    return weight[((8 - tap) * inner + to) * outer + from]!;
  });
}

/** The operands of a convolution, its sizes as `winograd` and as the reference have them. */
function setUp(on: Gpu, [batches, height, width, channels, outputs]: readonly number[], padding: readonly number[]) {
  const [top = 0, left = 0, bottom = 0, right = 0] = padding;
  const [B = 0, h = 0, w = 0, inner = 0, outer = 0] = [batches, height, width, channels, outputs];
  const out = [h + top + bottom - 2, w + left + right - 2] as const;
  const pad = { top, left }, size = [3, 3] as const;
  const sizes = { batches: B, height: h, width: w, channels: inner, outputs: outer, size, stride: 1, pad, out };
  return {
    x: randomTensor([B, h, w, inner], 1, on),
    weight: randomTensor([3, 3, inner, outer], 2, on),
    out,
    sizes,
    geometry: geometryOf(sizes),
  };
}

/** Whether there is a place for the kernel. */
function fits(
  [, height = 0, width = 0]: readonly number[],
  [top = 0, left = 0, bottom = 0, right = 0]: readonly number[],
) {
  return Math.min(height + top + bottom, width + left + right) >= 3;
}

describe.each(PADDINGS.map((padding) => ({ padding })))("winograd() with padding $padding", ({ padding }) => {
  const fitting = CASES.filter((sizes) => fits(sizes, padding));
  test.each(fitting)("convolves [B %i, %i x %i, %i to %i channels], and what is fused", async (...sizes) => {
    const { x, weight, out, sizes: plain, geometry } = setUp(gpu, sizes, padding);
    const { batches, outputs } = plain;
    const expected = convReference(x.data, weight.data, plain);
    const y = empty(gpu, [batches, ...out, outputs]);
    winograd([x.tensor, weight.tensor, y], { geometry, adjoint: false });
    await expectClose(y, expected);
    const bias = randomTensor([outputs], 3), addend = randomTensor(y.shape, 4);
    const fused = { geometry, adjoint: false, bias: bias.tensor, addend: addend.tensor };
    winograd([x.tensor, weight.tensor, y], fused);
    const sums = expected.map((sum, i) => sum + bias.data[i % outputs]! + addend.data[i]!);
    await expectClose(y, sums);
    winograd([x.tensor, weight.tensor, y], { ...fused, activation: "relu" });
    await expectClose(y, sums.map((sum) => Math.max(sum, 0)));
  });

  test.each(fitting)("has the gradient of [B %i, %i x %i, %i to %i channels]", async (...form) => {
    const { weight, out, sizes } = setUp(gpu, form, padding);
    const { batches, channels, outputs } = sizes;
    const { height, width, pad: { top, left } } = sizes;
    const dy = randomTensor([batches, ...out, outputs], 5);
    const dx = empty(gpu, [batches, height, width, channels]);
    const exchanged = {
      channels: outputs,
      outputs: channels,
      height: out[0],
      width: out[1],
      out: [height, width] as const,
    };
    const adjoint = geometryOf({ ...sizes, ...exchanged });
    winograd([dy.tensor, weight.tensor, dx], { geometry: adjoint, adjoint: true });
    const pad = { top: 2 - top, left: 2 - left };
    await expectClose(
      dx,
      convReference(dy.data, turned(weight.data, [channels, outputs]), { ...sizes, ...exchanged, pad }),
    );
  });
});

test.each(
  [["the adapter of the tests", gpu, [1, 90, 89, 1, 128]], ["hardware", hardwareGpu(), [2, 93, 90, 1, 512]]] as const,
)(
  "winograd() goes through pictures of several bands on %s",
  async (_, on, size) => {
    const { x, weight, out, sizes, geometry } = setUp(on, size, PADDINGS[0]);
    const y = empty(on, [sizes.batches, ...out, sizes.outputs]);
    winograd([x.tensor, weight.tensor, y], { geometry, adjoint: false });
    await expectClose(y, convReference(x.data, weight.data, sizes));
  },
);

test("gradients of weights of few channels or pixels, and of other kernels, are not transformed", () => {
  const sizes = { rows: 9 * 32, columns: 32, depth: 32, segments: 8, batches: 2, transposeA: true };
  const shape = { op: "conv2d_weight_3x3", ...sizes } as const;
  expect(tilingByRule(lanes, shape).by).toBe("winograd");
  for (const other of [{ rows: 9 * 28 }, { columns: 31 }, { batches: 1 }, { op: "conv2d_weight" }] as const) {
    expect(tilingByRule(lanes, { ...shape, ...other }).by).toBe("lanes");
  }
});

test("convolutions of few channels or pixels, or of too many, and of other kernels, are not transformed", () => {
  const shape = { op: "conv2d_3x3", rows: 512, columns: 64, depth: 64, segments: 9, batches: 1 } as const;
  expect(tilingByRule(lanes, shape).by).toBe("winograd");
  const wide = { columns: 1024, depth: 1024 };
  for (const other of [{ rows: 511 }, { columns: 63 }, { depth: 63 }, wide, { op: "conv2d" }] as const) {
    expect(tilingByRule(lanes, { ...shape, ...other }).by).toBe("lanes");
  }
  expect(tilingByRule({ ...lanes, subgroups: undefined, software: false }, shape).by).toBe("shared");
});
