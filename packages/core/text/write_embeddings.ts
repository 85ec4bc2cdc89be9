import type { Gpu } from "@fluxsr/kernels";
import { fromF32, type WeightDtype } from "../weights/dtypes/dtype.ts";
import { streamSafetensors } from "../weights/safetensors/stream_safetensors.ts";
import { withinLess } from "../memory/smaller_budget.ts";
import { loadClip } from "./load_clip.ts";
import { loadT5 } from "./load_t5.ts";
import { planTexts } from "./plan_texts.ts";
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
  /** Is told in a line what the user should know. */
  readonly onNotice?: (line: string) => void;
  /** Ends the work with its reason; nothing is written then. */
  readonly signal?: AbortSignal;
}

/**
 * Encodes texts into the safetensors file `path`: `txt` [P, max, d_model] by T5 and `y` [P, hidden_size] by CLIP, which is
 * what model folders, adapter folders and pairs read. T5 goes through all texts and is freed before CLIP is loaded, and no
 * more than a few texts' values are in memory. Where the GPU has a budget, it is kept to as {@linkcode planTexts} has it;
 * the file is the same to the bit. Without one, memory that runs out is gone on within.
 *
 * @throws {InputError} if the weights cannot be used or do not fit the budget, or the file cannot be written
 */
export async function writeEmbeddings(path: string, options: EmbeddingOptions): Promise<void> {
  const { gpu, onNotice = () => {} } = options;
  await withinLess(gpu, () => encode(path, options), { onNotice });
}

async function encode(
  path: string,
  { gpu, folder, texts, max, dtype, metadata, onProgress, signal }: EmbeddingOptions,
): Promise<void> {
  const { clip, t5 } = folder;
  const { together, residentBlocks } = await withinBudget({ gpu, folder, texts, max });
  let done = 0;
  async function* encoded(
    load: () => Promise<LoadedEncoder>,
    idsOf: (text: TokenizedText) => readonly number[],
    together = 1,
  ) {
    using encoder = await load();
    for (let at = 0; at < texts.length; at += together) {
      signal?.throwIfAborted();
      for (const values of await encoder.encode(texts.slice(at, at + together).map(idsOf), signal)) {
        onProgress?.(++done, 2 * texts.length);
        yield fromF32(values, dtype);
      }
    }
  }
  const txt = {
    dtype,
    shape: [texts.length, max, t5.config.d_model],
    chunks: () => encoded(() => loadT5(gpu, t5, { tokens: max, residentBlocks }), (text) => text.t5.ids, together),
  };
  const y = {
    dtype,
    shape: [texts.length, clip.config.hidden_size],
    chunks: () => encoded(() => loadClip(gpu, clip), (text) => text.clip.ids),
  };
  await streamSafetensors(path, [["txt", txt], ["y", y]], metadata ? { metadata } : {});
}

/** How T5 is run: whole, a text at a time, unless there is a budget for the GPU. */
async function withinBudget(
  { gpu, folder, texts, max }: Pick<EmbeddingOptions, "gpu" | "folder" | "texts" | "max">,
): Promise<{ together: number; residentBlocks?: number }> {
  const { budget, memory } = gpu.buffers;
  if (budget === Infinity) return { together: 1 };
  const { t5 } = await planTexts(gpu, { folder, texts: texts.length, max, budget: budget - memory.live });
  return { together: t5.together, residentBlocks: t5.blocks.resident };
}
