import { DryGpu, empty, read } from "@fluxsr/kernels";
import { afterEach, expect, test, vi } from "vitest";
import { biasedAttention } from "../../../packages/core/text/biased_attention.ts";
import { evenParts } from "../../../packages/core/text/even_parts.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

afterEach(() => vi.restoreAllMocks());

test.each([[4, 100, [4]], [4, 99, [2, 2]], [5, 50, [1, 2, 2]], [3, 1, [1, 1, 1]], [0, 1, [0]]])(
  "evenParts() of %i, 25 bytes each, of at most %i",
  (count, largest, parts) => expect(evenParts(count, { bytesEach: 25, largest })).toEqual(parts),
);

const HEADS = 5, TOKENS = 12;

test.each(["bias", "distances"])("some heads after the others are the same to the bit, with %s", async (form) => {
  const qkv = ([1, 2, 3] as const).map((seed) => randomTensor([2, TOKENS, HEADS * 4], seed).tensor);
  const addend = form === "bias"
    ? { bias: randomTensor([TOKENS, TOKENS], 4).tensor }
    : { distances: randomTensor([HEADS, 2 * TOKENS - 1], 4).tensor };
  const run = () => read(biasedAttention([qkv[0]!, qkv[1]!, qkv[2]!], { heads: HEADS, scale: 0.5, addend }));
  const whole = await run();
  const scores = 4 * 2 * TOKENS ** 2;
  for (const heads of [4, 2, 1]) {
    vi.spyOn(gpu.buffers, "largest", "get").mockReturnValue(heads * scores);
    expect(await run()).toEqual(whole);
  }
});

test("4096 tokens of T5-XXL's 64 heads fit the least limit of WebGPU, 128 MiB", () => {
  const limit = 2 ** 27;
  using dry = new DryGpu({ maxBufferSize: limit, maxStorageBufferBindingSize: limit });
  const x = empty(dry, [1, 4096, 4096]);
  const distances = empty(dry, [64, 8191]);
  expect(() => biasedAttention([x, x, x], { heads: 64, scale: 1, addend: { distances } })).not.toThrow();
});
