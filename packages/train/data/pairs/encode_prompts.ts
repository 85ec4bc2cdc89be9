import {
  BUNDLED_MODEL,
  cutNotices,
  InputError,
  openModelFolder,
  openTextFolder,
  type TextFolder,
  type TokenizedText,
  writeEmbeddings,
} from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { join } from "node:path";
import type { PairsConfig } from "../../config/pairs_config.ts";
import { networkContents } from "./model_hash.ts";
import { readPromptTexts } from "./prompt_texts.ts";
import { sha256 } from "./sha256.ts";
import { makePairsFolder } from "./write_pairs.ts";

/** Options of {@linkcode encodePrompts}. */
export interface EncodePromptsOptions {
  readonly gpu: Gpu;
  /** Is told of prompts that are cut, and of what is encoded. */
  readonly notice: (text: string) => void;
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the work with its reason. */
  readonly signal: AbortSignal;
}

/**
 * `config` with a file of embeddings in place of a text file of prompts, as the text encoders of its model make them. The
 * file is in the folder of the pairs, under a name that tells prompts and encoders: it is made once. In bf16, as FLUX's
 * own pipeline hands the text on, it has 4 MiB a prompt of FLUX.1-dev. The encoders are freed before this returns.
 *
 * @throws {InputError} if there are no prompts, the model has no text encoders, or they do not fit its transformer
 */
export async function encodePrompts(config: PairsConfig, options: EncodePromptsOptions): Promise<PairsConfig> {
  const { out, prompts, prompt_tokens: max, model = BUNDLED_MODEL } = config;
  if (prompts === undefined || prompts.endsWith(".safetensors")) return config;
  const lines = await readPromptTexts(prompts);
  using folder = await openTextFolder(model);
  await checkTextWidths(model, folder);
  const texts = lines.map((line) => folder.tokenize(line, { max }));
  for (const notice of cutNotices(texts, { clip: folder.clip, max })) options.notice(notice);
  await makePairsFolder(out);
  const path = join(out, `prompts-${(await digest(folder, { texts, max })).slice(0, 16)}.safetensors`);
  const isThere = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  if (!isThere) {
    const { gpu, onProgress, signal } = options;
    await removeHalfWritten(out);
    options.notice(`Encoding ${texts.length} prompts`);
    await writeEmbeddings(path, {
      gpu,
      folder,
      texts,
      max,
      dtype: "BF16",
      onProgress,
      onNotice: options.notice,
      signal,
    });
  }
  return { ...config, prompts: path };
}

/** What a killed process leaves has the size of a file of prompts. */
async function removeHalfWritten(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    if (/^prompts-[0-9a-f]{16}\.safetensors\.tmp-\w+$/.test(name)) await Deno.remove(join(dir, name));
  }
}

/** All that decides what the embeddings are; all weights are read once. */
function digest(folder: TextFolder, { texts, max }: { texts: readonly TokenizedText[]; max: number }): Promise<string> {
  async function* contents() {
    yield JSON.stringify([max, texts.map(({ clip, t5 }) => [clip.ids, t5.ids])]);
    yield* networkContents([folder.clip, folder.t5]);
  }
  return sha256(contents());
}

/** @throws {InputError} if the transformer of the model in folder `model` takes text of other widths */
export async function checkTextWidths(model: string, { clip, t5 }: TextFolder): Promise<void> {
  using folder = await openModelFolder(model);
  const { context_in_dim, vec_in_dim } = folder.transformer.config;
  const [wanted, own] = [[context_in_dim, vec_in_dim], [t5.config.d_model, clip.config.hidden_size]];
  if (String(wanted) === String(own)) return;
  throw new InputError(
    `Cannot encode prompts with "${model}": T5 and CLIP must have the widths that the transformer takes, ` +
      `${wanted.join(" and ")}: they have ${own.join(" and ")}`,
  );
}
