import { join } from "node:path";
import { InputError } from "../errors.ts";
import { pathKind, readJson } from "../files/read.ts";
import { quote, showNames } from "../files/messages.ts";
import { openWeights } from "../weights/open_weights.ts";
import type { WeightSource } from "../weights/weight_source.ts";
import { parseClipConfig } from "./clip_config.ts";
import type { ClipTextConfig, T5Config } from "./configs.ts";
import { parseT5Config } from "./t5_config.ts";
import { TextTokenizer, type Tokens } from "./text_tokenizer.ts";

/** A text encoder of a model folder: its sizes, its weights under transformers' names, its tokeniser. */
export interface TextFiles<Config> {
  readonly config: Config;
  readonly source: WeightSource;
  readonly tokenizer: TextTokenizer;
}

/** The open text encoders of a model folder. Only headers, JSON and vocabularies have been read. */
export interface TextFolder extends Disposable {
  readonly clip: TextFiles<ClipTextConfig>;
  readonly t5: TextFiles<T5Config>;
  /** The tokens of a text: at most `max` for T5, and what CLIP has positions for. */
  tokenize(text: string, options: { max: number }): TokenizedText;
}

/** A text as the two encoders take it. */
export interface TokenizedText {
  readonly clip: Tokens;
  readonly t5: Tokens;
}

/** As in a download of FLUX.1-dev. */
const FOLDERS = ["text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"];

/** Whether the model in folder `dir` has text encoders, or a part of them. */
export async function hasTextFolder(dir: string): Promise<boolean> {
  return (await missingFolders(dir)).length < FOLDERS.length;
}

/**
 * Opens the text encoders of the model in folder `dir`: CLIP in `text_encoder/` with `tokenizer/`, T5 in
 * `text_encoder_2/` with `tokenizer_2/`, as transformers saves them, sharded or not.
 *
 * @throws {InputError} if one is missing or cannot be used
 */
export async function openTextFolder(dir: string): Promise<TextFolder> {
  const missing = await missingFolders(dir);
  if (missing.length > 0) {
    throw new InputError(
      `Cannot open text encoders of ${quote(dir)}: folder must have ${FOLDERS.join(", ")}: it lacks ${
        showNames(missing)
      }`,
      { hint: "a whole download of FLUX.1-dev has them" },
    );
  }
  using opened = new DisposableStack();
  const files = async <Config>(suffix: string, parse: (path: string, json: unknown) => Config) => {
    const folder = join(dir, `text_encoder${suffix}`);
    const path = join(folder, "config.json");
    const config = parse(path, await readJson(path));
    const source = opened.use(await openWeights(folder));
    return { config, source, tokenizer: await TextTokenizer.open(join(dir, `tokenizer${suffix}`)) };
  };
  const clip = await files("", parseClipConfig);
  const t5 = await files("_2", parseT5Config);
  const all = opened.move();
  const tokenize = (text: string, { max }: { max: number }) => ({
    clip: clip.tokenizer.encode(text, { max: clip.config.max_position_embeddings }),
    t5: t5.tokenizer.encode(text, { max }),
  });
  return { clip, t5, tokenize, [Symbol.dispose]: () => all.dispose() };
}

async function missingFolders(dir: string): Promise<string[]> {
  const missing: string[] = [];
  for (const name of FOLDERS) {
    if (await pathKind(join(dir, name)) !== "folder") missing.push(name);
  }
  return missing;
}
