import { attention } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { attentionReference } from "../../reference/attention.ts";
import { tensor } from "@fluxsr/kernels";

/** [batches, queries, keys, heads, width]: one token, primes, tile + 1, head sizes that are no multiple of 4, wide heads. */
const CASES = [
  [1, 1, 1, 1, 4],
  [2, 33, 65, 3, 8],
  [1, 7, 13, 5, 6],
  [1, 31, 1, 2, 10],
  [2, 64, 129, 1, 32],
  [1, 65, 64, 2, 36],
  [1, 32, 70, 2, 64],
  [1, 34, 67, 1, 100],
  [2, 20, 33, 2, 128],
  [1, 19, 40, 1, 132],
  [1, 40, 66, 1, 512],
] as const;

describe.each(
  [
    ["its own", gpu],
    ["hardware's", hardwareGpu()],
    ["little memory's", hardwareGpu({}, { workgroupMemory: 16384 })],
  ] as const,
)("in %s way", (_, on) => {
  test.each(CASES)("attention() matches the reference for [B %i, Lq %i, Lk %i, H %i, D %i]", async (...sizes) => {
    const [batches, queries, keys, heads, width] = sizes;
    const q = randomTensor([batches, queries, heads, width], 1, on);
    const k = randomTensor([batches, keys, heads, width], 2, on);
    const v = randomTensor([batches, keys, heads, width], 3, on);
    const expected = attentionReference({ q: q.data, k: k.data, v: v.data }, { batches, queries, keys, heads, width });
    const out = attention(q.tensor, k.tensor, v.tensor);
    expect(out.shape).toEqual(q.tensor.shape);
    await expectClose(out, expected);
  });

  test("attention() stays finite for scores of several hundred", async () => {
    const sizes = { batches: 1, queries: 9, keys: 130, heads: 1, width: 16 };
    const large = random([1, 130, 1, 16], 4).map((value) => 60 * value);
    const k = tensor(on, large, [1, 130, 1, 16]);
    const q = tensor(on, large.slice(0, 9 * 16), [1, 9, 1, 16]);
    const v = randomTensor([1, 130, 1, 16], 5, on);
    const expected = attentionReference({ q: large, k: large, v: v.data }, sizes);
    await expectClose(attention(q, k, v.tensor), expected, 1e-4);
  });
});

test("attention() refuses shapes that do not fit", () => {
  const x = randomTensor([1, 2, 3, 4]).tensor;
  expect(() => attention(x, randomTensor([1, 2, 3, 5]).tensor, x)).toThrow("q, k and v must be [B, L, H, D]");
});
