import { read, scopedAsync, tensor } from "@fluxsr/kernels";
import { afterEach, expect, test, vi } from "vitest";
import type { T5Config } from "../../../packages/core/text/configs.ts";
import { BlockStream } from "../../../packages/core/memory/block_stream.ts";
import { EmbeddingTable } from "../../../packages/core/text/embedding_table.ts";
import { distanceBias } from "../../../packages/core/text/relative_positions.ts";
import { T5Encoder } from "../../../packages/core/text/t5_encoder.ts";
import { encoderLoader } from "../../../packages/core/text/text_encoder.ts";
import { openTextFolder } from "../../../packages/core/text/text_folder.ts";
import { gpu, random, randomTensor, scaledError } from "../../helpers/gpu.ts";
import { memorySource } from "../weights/_memory_source.ts";
import { expectedTensor, GOLDEN, TOLERANCE } from "./_golden.ts";

afterEach(() => vi.restoreAllMocks());

test("the hidden states are those of transformers, of weights kept in bf16", async () => {
  using folder = await openTextFolder(GOLDEN);
  const { config, source } = folder.t5;
  const { d_model: width, vocab_size, num_heads: heads, relative_attention_num_buckets: count } = config;
  const { values: ids, shape: [batch = 0, tokens = 0] } = await expectedTensor("t5.ids");
  const words = await EmbeddingTable.read(source, { name: "shared.weight", shape: [vocab_size, width] });
  const learned = await source.readF32("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
  const buckets = { count, maxDistance: config.relative_attention_max_distance };
  const distances = tensor(gpu, distanceBias(learned, { heads, tokens, buckets }), [heads, 2 * tokens - 1]);

  const live = gpu.memory.live;
  const x = tensor(gpu, words.lookUp([...ids]), [batch, tokens, width]);
  const t5 = new T5Encoder(config);
  await encoderLoader(gpu, t5, { source }).load(t5);
  expect(t5.encoder.block[1]!.layer[1].DenseReluDense.wi_0.weight.tensor.dtype).toBe("bf16");
  const loader = { load: async () => {}, unload: () => {}, bytesOf: () => 0 };
  const blocks = new BlockStream(gpu, { loader, blocks: [], resident: 0 });
  const [states] = await scopedAsync(gpu, () => blocks.run([t5.steps(x, { distances })]));
  const [hidden = new Float32Array()] = await read(states!);
  expect(scaledError(hidden, (await expectedTensor("t5.hidden")).values)).toBeLessThan(TOLERANCE);
  states!.dispose();
  t5.dispose();
  expect(gpu.memory.live).toBe(live);
});

const SMALL: T5Config = {
  vocab_size: 2,
  d_model: 16,
  d_kv: 8,
  d_ff: 96,
  num_layers: 1,
  num_heads: 3,
  relative_attention_num_buckets: 4,
  relative_attention_max_distance: 8,
  layer_norm_epsilon: 1e-6,
  pad_token_id: 0,
};
const TOKENS = 20;

/** A block of random weights on tokens, whose scores take 4800 bytes and inner channels 7680. */
async function hidden(): Promise<Float32Array> {
  const t5 = new T5Encoder(SMALL);
  const weights = [...t5.parameters()].map(([name, { shape }], i) => {
    return [name, { shape, values: random(shape, i + 3).map((value) => value / 4) }] as const;
  });
  await encoderLoader(gpu, t5, { source: memorySource(Object.fromEntries(weights)) }).load(t5);
  const x = randomTensor([1, TOKENS, SMALL.d_model]).tensor;
  const { tensor: distances } = randomTensor([SMALL.num_heads, 2 * TOKENS - 1], 2);
  const steps = t5.steps(x, { distances });
  steps.next();
  const { value } = steps.next();
  if (typeof value === "string") throw new Error("there is one block");
  const [values] = await read(value);
  t5.dispose();
  return values!;
}

test.each([5000, 3500, 2000])(
  "no buffer is larger than a limit of %i bytes, and states are the same",
  async (limit) => {
    const whole = await hidden();
    const acquire = gpu.buffers.acquire.bind(gpu.buffers);
    const sizes: number[] = [];
    vi.spyOn(gpu.buffers, "largest", "get").mockReturnValue(limit);
    vi.spyOn(gpu.buffers, "acquire").mockImplementation((bytes) => {
      sizes.push(bytes);
      return acquire(bytes);
    });
    expect(scaledError(await hidden(), whole)).toBeLessThan(1e-6);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit);
  },
);
