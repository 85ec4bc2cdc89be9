import { InputError, osReason } from "@fluxsr/core";

/**
 * Adds to the end of a file, which is made if there is none.
 * @throws {InputError} if it cannot be written; part of `bytes` may be there then
 */
export async function append(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.writeFile(path, bytes, { append: true });
  } catch (cause) {
    throw new InputError(`Cannot go on with "${path}": it must be writable: ${osReason(cause)}`, { cause });
  }
}
