import { type Gpu, read, scopedAsync, tensor } from "@fluxsr/kernels";
import { ClipText, endOfText } from "./clip_text.ts";
import type { ClipTextConfig } from "./configs.ts";
import { EmbeddingTable } from "./embedding_table.ts";
import { encoderLoader, type LoadedEncoder } from "./text_encoder.ts";
import type { TextFiles } from "./text_folder.ts";

/**
 * Loads CLIP, which makes the pooled state [hidden_size] of a text: its last hidden state where the text ends. No token
 * sees those after it, so that padding would change nothing and there is none.
 *
 * @throws {InputError} if its weights cannot be used
 */
export async function loadClip(
  gpu: Gpu,
  { config, source }: Pick<TextFiles<ClipTextConfig>, "config" | "source">,
): Promise<LoadedEncoder> {
  const { hidden_size: width, vocab_size, max_position_embeddings: max } = config;
  const embeddings = "text_model.embeddings";
  const tokens = await EmbeddingTable.read(source, {
    name: `${embeddings}.token_embedding.weight`,
    shape: [vocab_size, width],
  });
  const positions = await EmbeddingTable.read(source, {
    name: `${embeddings}.position_embedding.weight`,
    shape: [max, width],
  });
  using held = new DisposableStack();
  held.defer(() => gpu.trim());
  const clip = held.adopt(new ClipText(config), (module) => module.dispose());
  await encoderLoader(gpu, clip, { source }).load(clip);
  const all = held.move();
  const encodeOne = async (ids: readonly number[]) => {
    const places = positions.lookUp([...ids.keys()]);
    const embedded = tokens.lookUp(ids).map((value, i) => value + places[i]!);
    const [states] = await scopedAsync(
      gpu,
      () => read(clip.forward(tensor(gpu, embedded, [1, ids.length, width]))),
    );
    const end = endOfText(ids, config) * width;
    return states!.slice(end, end + width);
  };
  return {
    async encode(texts, signal) {
      const pooled: Float32Array<ArrayBuffer>[] = [];
      for (const ids of texts) {
        signal?.throwIfAborted();
        pooled.push(await encodeOne(ids));
      }
      return pooled;
    },
    [Symbol.dispose]: () => all.dispose(),
  };
}
