import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { InputError } from "../errors.ts";
import { ioError, pathKind, readJson } from "../files/read.ts";
import { quote } from "../files/messages.ts";
import { clipTokenizerJson } from "./clip_tokenizer_json.ts";

/** The tokens of a text. */
export interface Tokens {
  readonly ids: readonly number[];
  /** Whether the text was longer than the most tokens. */
  readonly isCut: boolean;
}

/** A tokeniser in a folder as transformers saves it. */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;

  private constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /**
   * Opens the tokeniser in folder `path`: tokenizer.json, or CLIP's vocab.json and merges.txt.
   * @throws {InputError} if there is neither, or it cannot be used
   */
  static async open(path: string): Promise<TextTokenizer> {
    const json = await tokenizerJson(path);
    const config = join(path, "tokenizer_config.json");
    const settings = await pathKind(config) === "none" ? {} : await readJson(config);
    try {
      return new TextTokenizer(new Tokenizer(json as object, settings as object));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new InputError(`Cannot read tokenizer ${quote(path)}: its files must be transformers': ${quote(reason)}`, {
        cause,
      });
    }
  }

  /** At most `max` tokens of `text`, the last of which is the end of the text also if it is cut. */
  encode(text: string, { max }: { max: number }): Tokens {
    const { ids } = this.#tokenizer.encode(text);
    return ids.length <= max ? { ids, isCut: false } : { ids: [...ids.slice(0, max - 1), ids.at(-1)!], isCut: true };
  }
}

async function tokenizerJson(path: string): Promise<unknown> {
  const [whole, vocab, merges] = ["tokenizer.json", "vocab.json", "merges.txt"].map((name) => join(path, name));
  if (await pathKind(whole!) === "file") return await readJson(whole!);
  if (await pathKind(vocab!) !== "file" || await pathKind(merges!) !== "file") {
    throw new InputError(
      `Cannot open tokenizer ${quote(path)}: folder must have tokenizer.json, or vocab.json and merges.txt: ` +
        "it has neither",
    );
  }
  return clipTokenizerJson(path, { vocab: await readJson(vocab!), merges: await readText(merges!) });
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw ioError(`read ${quote(path)}`, error);
  }
}
