import { type Gpu, read, scopedAsync, type Tensor, tensor } from "@fluxsr/kernels";
import { EmbeddingTable } from "./embedding_table.ts";
import type { T5Config } from "./configs.ts";
import { positionBias } from "./relative_positions.ts";
import { T5Encoder } from "./t5_encoder.ts";
import { type LoadedEncoder, loadEncoder } from "./text_encoder.ts";
import type { TextFiles } from "./text_folder.ts";

/** The same tensor twice, in some files only the second. */
const EMBEDDINGS = ["shared.weight", "encoder.embed_tokens.weight"];

const POSITIONS = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

/**
 * Loads T5, which makes the last hidden state [tokens, d_model] of a text that is filled up to `tokens` tokens: FLUX was
 * trained with the padding attended to, 512 tokens for FLUX.1-dev.
 *
 * @throws {InputError} if its weights cannot be used
 */
export async function loadT5(
  gpu: Gpu,
  { config, source }: Pick<TextFiles<T5Config>, "config" | "source">,
  { tokens }: { tokens: number },
): Promise<LoadedEncoder> {
  const { d_model, vocab_size, pad_token_id } = config;
  const name = EMBEDDINGS.find((each) => source.tensors.has(each)) ?? EMBEDDINGS[0]!;
  const embedding = await EmbeddingTable.read(source, { name, shape: [vocab_size, d_model] });
  using held = new DisposableStack();
  held.defer(() => gpu.trim());
  const bias = held.use(await positionTensor(gpu, { source, config, tokens }));
  const t5 = held.adopt(new T5Encoder(config), (module) => module.dispose());
  await loadEncoder(gpu, t5, { source });
  const all = held.move();
  return {
    async encode(ids) {
      const padded = [...ids, ...new Array<number>(tokens - ids.length).fill(pad_token_id)];
      const [states] = await scopedAsync(gpu, () => {
        const x = tensor(gpu, embedding.lookUp(padded), [1, tokens, d_model]);
        return read(t5.forward(x, { bias }));
      });
      return states!;
    },
    [Symbol.dispose]: () => all.dispose(),
  };
}

/** What relative positions add to the scores, [heads, tokens, tokens]; the caller's own. */
async function positionTensor(
  gpu: Gpu,
  { source, config, tokens }: Pick<TextFiles<T5Config>, "source" | "config"> & { tokens: number },
): Promise<Tensor> {
  const { num_heads: heads, relative_attention_num_buckets: count, relative_attention_max_distance: maxDistance } =
    config;
  const learned = await EmbeddingTable.read(source, { name: POSITIONS, shape: [count, heads] });
  const table = learned.lookUp(Array.from({ length: count }, (_, bucket) => bucket));
  const bias = positionBias(table, { heads, tokens, buckets: { count, maxDistance } });
  return tensor(gpu, bias, [heads, tokens, tokens]);
}
