import { read, scopedAsync, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { BlockStream } from "../../../packages/core/memory/block_stream.ts";
import { EmbeddingTable } from "../../../packages/core/text/embedding_table.ts";
import { positionBias } from "../../../packages/core/text/relative_positions.ts";
import { T5Encoder } from "../../../packages/core/text/t5_encoder.ts";
import { encoderLoader } from "../../../packages/core/text/text_encoder.ts";
import { openTextFolder } from "../../../packages/core/text/text_folder.ts";
import { gpu, scaledError } from "../../helpers/gpu.ts";
import { expectedTensor, GOLDEN, TOLERANCE } from "./_golden.ts";

test("the hidden states are those of transformers, of weights kept in bf16", async () => {
  using folder = await openTextFolder(GOLDEN);
  const { config, source } = folder.t5;
  const { d_model: width, vocab_size, num_heads: heads, relative_attention_num_buckets: count } = config;
  const { values: ids, shape: [batch = 0, tokens = 0] } = await expectedTensor("t5.ids");
  const words = await EmbeddingTable.read(source, { name: "shared.weight", shape: [vocab_size, width] });
  const learned = await source.readF32("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
  const buckets = { count, maxDistance: config.relative_attention_max_distance };
  const bias = tensor(gpu, positionBias(learned, { heads, tokens, buckets }), [heads, tokens, tokens]);

  const live = gpu.memory.live;
  const x = tensor(gpu, words.lookUp([...ids]), [batch, tokens, width]);
  const t5 = new T5Encoder(config);
  await encoderLoader(gpu, t5, { source }).load(t5);
  expect(t5.encoder.block[1]!.layer[1].DenseReluDense.wi_0.weight.tensor.dtype).toBe("bf16");
  const loader = { load: async () => {}, unload: () => {}, bytesOf: () => 0 };
  const blocks = new BlockStream(gpu, { loader, blocks: [], resident: 0 });
  const [states] = await scopedAsync(gpu, () => blocks.run([t5.steps(x, { bias })]));
  const [hidden = new Float32Array()] = await read(states!);
  expect(scaledError(hidden, (await expectedTensor("t5.hidden")).values)).toBeLessThan(TOLERANCE);
  states!.dispose();
  t5.dispose();
  expect(gpu.memory.live).toBe(live);
});
