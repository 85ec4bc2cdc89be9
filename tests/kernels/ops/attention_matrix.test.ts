/** The matrix units of an adapter are used where Dawn offers some; elsewhere the kernel is compiled only. */
import { type AdapterSummary, empty, Gpu, tensor } from "@fluxsr/kernels";
import { beforeEach, describe, expect, test } from "vitest";
import { matrixAttention } from "../../../packages/kernels/ops/attention_matrix.ts";
import { NO_MATRICES, openDawnGpu, refusalByDawn } from "../../helpers/dawn.ts";
import { expectClose, random, randomTensor } from "../../helpers/gpu.ts";
import { attentionReference } from "../../reference/attention.ts";

/** Operands are off by 2^-11 of themselves, in scores and weights: up to 4e-4 was seen on random values below 1. */
const F16 = 1e-3;
/** The same with scores of some tens, whose errors are those of weights: 3e-3 was seen. */
const F16_LARGE = 1e-2;

function adapterWith(m: number, n: number, k: number, more: Partial<AdapterSummary> = {}): AdapterSummary {
  return {
    description: "Pretender 9",
    vendor: "none",
    software: false,
    features: ["shader-f16"],
    enables: [],
    subgroups: { min: 32, max: 32 },
    workgroupMemory: 49_152,
    matrices: [{ m, n, k, operands: "f16", result: "f16" }, { m, n, k, operands: "f16", result: "f32" }],
    ...more,
  };
}

type Sizes = Parameters<typeof matrixAttention>[1];

const sizes = { batches: 2, rows: 100, keys: 77, heads: 3, channels: 128 };

describe("matrixAttention()", () => {
  test.each([[16, 16, 16], [8, 16, 16], [8, 8, 8]])("compiles in Dawn for units of %i x %i x %i", async (m, n, k) => {
    const plan = matrixAttention(adapterWith(m, n, k), sizes);
    expect(plan?.groups).toEqual([Math.ceil(100 / (4 * m)), 3, 2]);
    expect(await refusalByDawn(plan!.kernel)).toBeUndefined();
  });

  test.each<[string, Partial<AdapterSummary>, Partial<Sizes>]>([
    ["a CPU", { software: true }, {}],
    ["an adapter without units", { matrices: [] }, {}],
    ["units that add up in f16", { matrices: adapterWith(16, 16, 16).matrices.slice(0, 1) }, {}],
    ["lanes that vary", { subgroups: { min: 8, max: 32 } }, {}],
    ["an adapter without f16", { features: [] }, {}],
    ["little workgroup memory", { workgroupMemory: 16_384 }, {}],
    ["wide heads", {}, { channels: 144 }],
    ["odd heads", {}, { channels: 24 }],
    ["few queries", {}, { rows: 15 }],
    ["few keys", {}, { keys: 31 }],
  ])("leaves %s to others", (_, adapter, changed) => {
    expect(matrixAttention(adapterWith(16, 16, 16, adapter), { ...sizes, ...changed })).toBeUndefined();
  });
});

/** log sum exp of the scaled scores of each query, [B, H, Lq]. */
function logSumExp(
  { q, k }: Record<"q" | "k", Float32Array>,
  { batches, rows: queries, keys, heads, channels }: Sizes,
): number[] {
  return Array.from({ length: batches * heads * queries }, (_, i) => {
    const [batch, head, query] = [Math.floor(i / queries / heads), Math.floor(i / queries) % heads, i % queries];
    const from = ((batch * queries + query) * heads + head) * channels;
    const scores = Array.from({ length: keys }, (_, key) => {
      const to = ((batch * keys + key) * heads + head) * channels;
      return q.subarray(from, from + channels).reduce((sum, x, c) => sum + x * k[to + c]!, 0) / Math.sqrt(channels);
    });
    return Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  });
}

/** Random keys, the last of them `growth` times larger than the first: maxima of scores then rise all along. */
function growing(shape: readonly [number, number, number, number], growth: number, gpu: Gpu) {
  const [, keys, heads, channels] = shape;
  const data = random(shape, 2).map((value, i) =>
    value * (1 + growth * (Math.floor(i / heads / channels) % keys) / keys)
  );
  return { data, tensor: tensor(gpu, data, shape) };
}

const dawn = await openDawnGpu({ matrices: true });
const hasMatrices = (dawn?.adapter.matrices.length ?? 0) > 0;

/** [batches, queries, keys, heads, channels, growth] */
const SIZES = [[1, 16, 32, 1, 16, 0], [2, 37, 71, 3, 32, 0], [1, 67, 33, 2, 128, 0], [1, 20, 150, 1, 32, 60]] as const;

describe("attention by matrix units", () => {
  beforeEach(({ skip }) => skip(!hasMatrices, NO_MATRICES));

  test.each(SIZES)(
    "matches the reference for %i x %i queries, %i keys, %i heads of %i, scores growing by %i",
    async (batches, queries, keys, heads, channels, growth) => {
      // The emulation of a software driver will do here.
      const gpu = new Gpu(dawn!.device, { ...dawn!.adapter, software: false });
      const plan = matrixAttention(gpu.adapter, { batches, rows: queries, keys, heads, channels });
      const q = randomTensor([batches, queries, heads, channels], 1, gpu);
      const k = growing([batches, keys, heads, channels], growth, gpu);
      const v = randomTensor([batches, keys, heads, channels], 3, gpu);
      const [out, lse] = [empty(gpu, q.tensor.shape), empty(gpu, [batches, heads, queries])];
      gpu.run(plan!.kernel, {
        buffers: [q.tensor, k.tensor, v.tensor, out, lse].map(({ buffer }) => buffer),
        params: { queries, keys, heads, width: channels / 4, scale: 1 / Math.sqrt(channels) },
        groups: plan!.groups,
      });
      const data = { q: q.data, k: k.data, v: v.data };
      await expectClose(
        out,
        attentionReference(data, { batches, queries, keys, heads, width: channels }),
        growth ? F16_LARGE : F16,
      );
      await expectClose(lse, logSumExp(data, { batches, rows: queries, keys, heads, channels }), F16);
    },
  );
});
