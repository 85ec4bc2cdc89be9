import { attention, scale, scoped, Tape } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { attentionReference } from "../../reference/attention.ts";

/** [batches, queries, keys, heads, width]: one token, primes, tile + 1 both ways, head sizes that are no multiple of 4. */
const CASES = [
  [1, 1, 1, 1, 4],
  [2, 33, 65, 3, 8],
  [1, 65, 33, 2, 8],
  [1, 7, 13, 5, 6],
  [1, 31, 1, 2, 10],
  [2, 1, 31, 1, 1],
  [2, 64, 129, 1, 32],
  [1, 129, 64, 2, 36],
  [1, 32, 70, 2, 64],
  [1, 34, 67, 1, 100],
  [2, 20, 33, 2, 128],
  [1, 19, 40, 1, 132],
  [1, 40, 66, 1, 512],
] as const;

/** Scores large enough for a few keys to matter much more than the others. */
const SHARPNESS = 6;

/** Given one key the gradients of q and k are 0; what two sums of the same products differ by is left: 2e-7 here. */
const ONE_KEY = 1e-3;

describe.each(
  [
    ["its own", gpu],
    ["hardware's", hardwareGpu()],
    ["little memory's", hardwareGpu({}, { workgroupMemory: 16384 })],
  ] as const,
)("in %s way", (_, on) => {
  test.each(CASES)(
    "attention() has the gradient of central differences for [B %i, Lq %i, Lk %i, H %i, D %i]",
    async (batches, queries, keys, heads, width) => {
      const kernels = await expectGradients({
        q: [batches, queries, heads, width],
        k: [batches, keys, heads, width],
        v: [batches, keys, heads, width],
      }, {
        on,
        op: ({ q, k, v }) => attention(scale(q!, SHARPNESS), k!, v!),
        reference: ({ q, k, v }) =>
          attentionReference({ q: Float64Array.from(q!, (value) => SHARPNESS * value), k: k!, v: v! }, {
            batches,
            queries,
            keys,
            heads,
            width,
          }),
      }, keys === 1 ? ONE_KEY : undefined);
      const used = (tracked: string) => kernels[tracked]!.filter((name) => name.startsWith("attention"));
      expect(used("q")).toEqual(["attention.backward_delta", "attention.backward_q"]);
      expect(used("k")).toEqual(["attention.backward_delta", "attention.backward_k"]);
      expect(used("v")).toEqual(["attention.backward_v"]);
      expect(used("q v")).toEqual(["attention.backward_delta", "attention.backward_q", "attention.backward_v"]);
      expect(used("q k v").length).toBe(4);
    },
  );

  test("attention() to one key has the gradient of v to the usual tolerance", async () => {
    const sizes = { batches: 1, queries: 31, keys: 1, heads: 2, width: 10 };
    const q = randomTensor([1, 31, 2, 10], 7, on);
    const k = randomTensor([1, 1, 2, 10], 8, on);
    await expectGradients({ v: [1, 1, 2, 10] }, {
      on,
      op: ({ v }) => attention(q.tensor, k.tensor, v!),
      reference: ({ v }) => attentionReference({ q: q.data, k: k.data, v: v! }, sizes),
    });
  });
});

test("attention() of one tensor with itself adds its three gradients", async () => {
  await expectGradients({ x: [1, 9, 2, 8] }, {
    op: ({ x }) => attention(x!, x!, x!),
    reference: ({ x }) =>
      attentionReference({ q: x!, k: x!, v: x! }, { batches: 1, queries: 9, keys: 9, heads: 2, width: 8 }),
  });
});

/** f32 scores of several hundred are off by 3e-5, and so are, relatively, their exponentials; measured: 5e-5. */
const LARGE_SCORES = 2e-4;

test("attention() has the gradient of central differences for scores of several hundred", async () => {
  const sizes = { batches: 1, queries: 9, keys: 130, heads: 1, width: 16 };
  const large = (x: ArrayLike<number>) => Float64Array.from(x, (value) => 400 * value);
  await expectGradients(
    { q: [1, 9, 1, 16], k: [1, 130, 1, 16], v: [1, 130, 1, 16] },
    {
      op: ({ q, k, v }) => attention(scale(q!, 400), k!, v!),
      reference: ({ q, k, v }) => attentionReference({ q: large(q!), k: k!, v: v! }, sizes),
    },
    LARGE_SCORES,
  );
});

test("attention() keeps its log-sum-exp for a gradient only, and records one node beside those of padding", () => {
  const x = randomTensor([1, 40, 2, 8]).tensor;
  const padded = randomTensor([1, 40, 2, 6]).tensor;
  const live = gpu.memory.live;
  attention(x, x, x).dispose();
  attention(padded, padded, padded).dispose();
  expect(gpu.memory.live).toBe(live);
  using tape = new Tape(gpu);
  attention(x, x, x).dispose();
  expect(gpu.memory.live).toBe(live);
  tape.watch(x);
  tape.watch(padded);
  scoped(gpu, () => {
    attention(x, x, x);
    attention(padded, padded, padded);
  });
  expect(gpu.memory.live).toBeGreaterThan(live);
  expect(tape.nodes.map(({ op }) => op)).toEqual([
    "attention",
    ...["concat", "concat", "concat", "attention", "split"],
  ]);
  tape.close();
  expect(gpu.memory.live).toBe(live);
});
