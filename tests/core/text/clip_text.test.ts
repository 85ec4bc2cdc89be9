import { read, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { loadModule } from "../../../packages/core/nn/load.ts";
import { ClipText, endOfText } from "../../../packages/core/text/clip_text.ts";
import { EmbeddingTable } from "../../../packages/core/text/embedding_table.ts";
import { openTextFolder } from "../../../packages/core/text/text_folder.ts";
import { encoderLoader } from "../../../packages/core/text/text_encoder.ts";
import { gpu, scaledError } from "../../helpers/gpu.ts";
import { expectedTensor, GOLDEN, TOLERANCE } from "./_golden.ts";

test("the hidden and the pooled states are those of transformers", async () => {
  using folder = await openTextFolder(GOLDEN);
  const { config, source } = folder.clip;
  const { hidden_size: width, vocab_size, max_position_embeddings } = config;
  const { values: ids, shape: [batch = 0, tokens = 0] } = await expectedTensor("clip.ids");
  const name = (kind: string) => `text_model.embeddings.${kind}_embedding.weight`;
  const words = await EmbeddingTable.read(source, { name: name("token"), shape: [vocab_size, width] });
  const places = await EmbeddingTable.read(source, {
    name: name("position"),
    shape: [max_position_embeddings, width],
  });
  const at = places.lookUp([...ids.keys()].map((i) => i % tokens));
  const x = tensor(gpu, words.lookUp([...ids]).map((value, i) => value + at[i]!), [batch, tokens, width]);
  const live = gpu.memory.live;
  const clip = new ClipText(config);
  await encoderLoader(gpu, clip, { source }).load(clip);
  expect(clip.text_model.encoder.layers[0]!.mlp.fc1.weight.tensor.dtype).toBe("bf16");
  const states = clip.forward(x);
  const [hidden = new Float32Array()] = await read(states);
  expect(scaledError(hidden, (await expectedTensor("clip.hidden")).values)).toBeLessThan(TOLERANCE);

  const pooled = Array.from({ length: batch }, (_, i) => {
    const end = endOfText([...ids.slice(i * tokens, (i + 1) * tokens)], config);
    return [...hidden.slice((i * tokens + end) * width, (i * tokens + end + 1) * width)];
  });
  expect(scaledError(pooled.flat(), (await expectedTensor("clip.pooled")).values)).toBeLessThan(TOLERANCE);
  states.dispose();
  clip.dispose();
  expect(gpu.memory.live).toBe(live);
});

test("weights in f32 give the same as those kept in bf16", async () => {
  using folder = await openTextFolder(GOLDEN);
  const { config, source } = folder.clip;
  const x = tensor(gpu, Float32Array.from({ length: 5 * 32 }, (_, i) => Math.sin(i)), [1, 5, 32]);
  const results = [];
  for (const precision of ["native", "f32"] as const) {
    const clip = new ClipText(config);
    const names = new Set([...clip.parameters()].map(([name]) => name));
    const own = { ...source, tensors: new Map([...source.tensors].filter(([name]) => names.has(name))) };
    await loadModule(gpu, clip, { source: own, precision });
    results.push((await read(clip.forward(x)))[0]!);
  }
  expect(scaledError(results[0]!, results[1]!)).toBeLessThan(1e-6);
});

test.each([
  [[602, 5, 603, 603], 2, 2],
  [[602, 5, 7, 603], 603, 3],
  [[602, 603, 603], 603, 1],
  [[2, 5, 7], 7, 2],
])("the text of tokens %j ends, if the end is %i, at %i", (ids, eos_token_id, end) => {
  expect(endOfText(ids, { eos_token_id })).toBe(end);
});
