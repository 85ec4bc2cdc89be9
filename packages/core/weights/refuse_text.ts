import { InputError } from "../errors.ts";
import type { ByteFile } from "./byte_file.ts";
import { quote } from "../files/messages.ts";

/** Bytes that are looked at: files of weights have some among them that are no ASCII text. */
const FIRST_BYTES = 64;

/**
 * Refuses text in place of weights, which downloads leave that were refused, or made by Git without its large files.
 * @throws {InputError} if `file` begins with text
 */
export async function refuseText(file: ByteFile): Promise<void> {
  const bytes = await file.read(0, Math.min(FIRST_BYTES, file.size));
  const text = new TextDecoder().decode(bytes);
  if (!/^[\t\n\r\x20-\x7e]+$/.test(text)) return;
  const fail = (state: string, hint: string) =>
    new InputError(`Cannot open ${quote(file.path)}: file must hold weights: it is ${state}`, { hint });
  if (text.startsWith("version https://git-lfs")) {
    throw fail("a pointer of Git LFS", "fetch the file itself: git lfs pull");
  }
  const [line = ""] = text.split(/[\r\n]/);
  throw fail(
    `text, ${quote(line)}`,
    "the download may have been refused: FLUX.1-dev needs its licence accepted on its page, and a token",
  );
}
