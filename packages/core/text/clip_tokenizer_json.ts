import { InputError } from "../errors.ts";
import { quote, showValue } from "../files/messages.ts";

/** What stands before and after every text. */
const FIRST = "<|startoftext|>", LAST = "<|endoftext|>";

/** How CLIP divides a text before the merges: contractions, words, single digits, runs of other characters. */
const WORDS = `<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+`;

/**
 * CLIP's tokeniser in the form of a tokenizer.json, from the two files that models before that form have: `vocab`, the
 * contents of vocab.json, and `merges`, those of merges.txt. As transformers' fast tokeniser, it does not repair text that
 * was decoded wrongly (ftfy).
 *
 * @throws {InputError} if the files are not those of CLIP's tokeniser; `path` is their folder
 */
export function clipTokenizerJson(
  path: string,
  { vocab, merges }: { vocab: unknown; merges: string },
): Record<string, unknown> {
  const fail = (rule: string) => new InputError(`Cannot read tokenizer ${quote(path)}: ${rule}`);
  if (typeof vocab !== "object" || vocab === null || Array.isArray(vocab)) {
    throw fail(`vocab.json must be a JSON object: it is ${showValue(vocab)}`);
  }
  const ids = vocab as Readonly<Record<string, unknown>>;
  const special = [FIRST, LAST].map((content) => {
    const id = Object.hasOwn(ids, content) ? ids[content] : undefined;
    if (!Number.isInteger(id)) throw fail(`vocab.json must have the number of ${content}: it is ${showValue(id)}`);
    return { id, content, special: true, normalized: false, single_word: false, lstrip: false, rstrip: false };
  });
  const [first, last] = special.map(({ id, content }) => [content, id]);
  // The first line says the version; a merge may begin with # as well.
  const lines = merges.split("\n").map((line) => line.trim()).filter((line) => !/^(#version.*)?$/.test(line));
  const wrong = lines.find((line) => line.split(" ").length !== 2);
  if (wrong !== undefined) throw fail(`a line of merges.txt must be two parts of words: it is ${quote(wrong)}`);
  return {
    version: "1.0",
    added_tokens: special,
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: WORDS }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: { type: "RobertaProcessing", sep: last, cls: first, trim_offsets: false, add_prefix_space: false },
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      unk_token: LAST,
      continuing_subword_prefix: "",
      end_of_word_suffix: "</w>",
      vocab,
      merges: lines,
    },
  };
}
