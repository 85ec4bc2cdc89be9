import type { Gpu } from "@fluxsr/kernels";
import { fromF32, type WeightDtype } from "../weights/dtype.ts";
import { streamSafetensors } from "../weights/stream_safetensors.ts";
import { loadClip } from "./load_clip.ts";
import { loadT5 } from "./load_t5.ts";
import type { LoadedEncoder } from "./text_encoder.ts";
import type { TextFolder, TokenizedText } from "./text_folder.ts";

/** Options of {@linkcode writeEmbeddings}. */
export interface EmbeddingOptions {
  readonly gpu: Gpu;
  readonly folder: TextFolder;
  readonly texts: readonly TokenizedText[];
  /** Tokens of T5 that each text is filled up to. */
  readonly max: number;
  readonly dtype: WeightDtype;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Is told how many of `total` passes, one a text and encoder, are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work with its reason; nothing is written then. */
  readonly signal?: AbortSignal;
}

/**
 * Encodes texts into the safetensors file `path`: `txt` [P, max, d_model] by T5 and `y` [P, hidden_size] by CLIP, which is
 * what model folders, adapter folders and pairs read. T5 goes through all texts and is freed before CLIP is loaded, and no
 * more than a text's values are in memory.
 *
 * @throws {InputError} if the weights cannot be used, or the file cannot be written
 */
export async function writeEmbeddings(
  path: string,
  { gpu, folder, texts, max, dtype, metadata, onProgress, signal }: EmbeddingOptions,
): Promise<void> {
  const { clip, t5 } = folder;
  let done = 0;
  async function* encoded(load: () => Promise<LoadedEncoder>, idsOf: (text: TokenizedText) => readonly number[]) {
    using encoder = await load();
    for (const text of texts) {
      signal?.throwIfAborted();
      const values = await encoder.encode(idsOf(text));
      onProgress?.(++done, 2 * texts.length);
      yield fromF32(values, dtype);
    }
  }
  const txt = {
    dtype,
    shape: [texts.length, max, t5.config.d_model],
    chunks: () => encoded(() => loadT5(gpu, t5, { tokens: max }), (text) => text.t5.ids),
  };
  const y = {
    dtype,
    shape: [texts.length, clip.config.hidden_size],
    chunks: () => encoded(() => loadClip(gpu, clip), (text) => text.clip.ids),
  };
  await streamSafetensors(path, [["txt", txt], ["y", y]], metadata ? { metadata } : {});
}
