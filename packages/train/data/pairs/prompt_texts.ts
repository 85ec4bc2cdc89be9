import { InputError, osReason } from "@fluxsr/core";

/** More is no list of prompts. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * The prompts in text file `path`, one in a line; empty lines count for nothing.
 * @throws {InputError} if it cannot be read, is no UTF-8 text, or has no prompt
 */
export async function readPromptTexts(path: string): Promise<string[]> {
  const fail = (state: string, cause?: unknown) => new InputError(`Cannot use prompts "${path}": ${state}`, { cause });
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isFile) throw fail(info ? "it must be a file: it is a folder" : "no such file");
  if (info.size > MAX_BYTES) throw fail(`file must have at most ${MAX_BYTES} bytes: it has ${info.size}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (cause) {
    const isText = cause instanceof TypeError
      ? "it must be UTF-8 text, or embeddings in a .safetensors file"
      : undefined;
    throw fail(isText ?? `file must be readable: ${osReason(cause)}`, cause);
  }
  const prompts = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (prompts.length === 0) throw fail("file must have a prompt in a line: it has none");
  return prompts;
}
