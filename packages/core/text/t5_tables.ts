import type { T5Config } from "./configs.ts";
import { EmbeddingTable } from "./embedding_table.ts";
import { distanceBias } from "./relative_positions.ts";
import type { TextFiles } from "./text_folder.ts";

/** What T5 looks up in host memory. */
export interface T5Tables {
  readonly words: EmbeddingTable;
  /** What relative positions add to the scores, [heads, 2 tokens - 1], see {@linkcode distanceBias}. */
  readonly distances: Float32Array<ArrayBuffer>;
}

/** The same tensor twice, in some files only the second. */
const EMBEDDINGS = ["shared.weight", "encoder.embed_tokens.weight"];

const POSITIONS = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

/**
 * The tables of T5 for texts of `tokens` tokens.
 * @throws {InputError} if they are missing or cannot be used
 */
export async function readT5Tables(
  { config, source }: Pick<TextFiles<T5Config>, "config" | "source">,
  { tokens }: { tokens: number },
): Promise<T5Tables> {
  const { d_model, vocab_size, num_heads: heads } = config;
  const { relative_attention_num_buckets: count, relative_attention_max_distance: maxDistance } = config;
  const name = EMBEDDINGS.find((each) => source.tensors.has(each)) ?? EMBEDDINGS[0]!;
  const words = await EmbeddingTable.read(source, { name, shape: [vocab_size, d_model] });
  const learned = await EmbeddingTable.read(source, { name: POSITIONS, shape: [count, heads] });
  const table = learned.lookUp(Array.from({ length: count }, (_, bucket) => bucket));
  return { words, distances: distanceBias(table, { heads, tokens, buckets: { count, maxDistance } }) };
}
