import { dirname } from "node:path";
import { InputError } from "../errors.ts";
import { osReason } from "./os_reason.ts";

/** The file operations that tests replace to provoke failures. */
export interface FileOperations {
  write(path: string, bytes: Uint8Array): Promise<void>;
  link(from: string, to: string): Promise<void>;
}

/**
 * Writes a whole file or nothing: into `<path>.tmp-<random>` first, which then takes the final name. An earlier file
 * stays as it was until then, and without `overwrite` also afterwards. On a file system without hard links a process
 * that is killed just before the rename leaves an empty file at `path`.
 *
 * @throws {InputError} as {@linkcode checkPlace}, and if the folder is not writable or the disk full
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
  { overwrite, write = writeToDisk, link = Deno.link }: { overwrite: boolean } & Partial<FileOperations>,
): Promise<void> {
  const temporary = `${path}.tmp-${crypto.randomUUID().slice(0, 8)}`;
  try {
    await write(temporary, bytes);
    const isHeld = !overwrite && await claim(temporary, path, link);
    await Deno.rename(temporary, path).catch(async (cause) => {
      if (isHeld) await Deno.remove(path);
      throw cause;
    });
  } catch (cause) {
    await checkPlace(path, { overwrite });
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOSPC" || code === "EDQUOT") {
      const hint = "Free some space, or write to another disk.";
      refuse(path, `the disk must have room for ${bytes.length} bytes: it is full`, { hint, cause });
    }
    refuse(path, `its folder must be writable: ${osReason(cause)}`, { cause });
  } finally {
    await Deno.remove(temporary).catch(() => {}); // renamed already unless something failed
  }
}

/**
 * Checks that a file could be written at `path`: for the time before the work that makes it.
 *
 * @throws {InputError} if the folder is missing or no folder, if `path` is a folder, or exists without `overwrite`
 */
export async function checkPlace(path: string, { overwrite }: { overwrite: boolean }): Promise<void> {
  const folder = dirname(path);
  const folderInfo = await Deno.stat(folder).catch(() => undefined);
  if (!folderInfo) refuse(path, `its folder must exist: there is no "${folder}"`);
  if (!folderInfo.isDirectory) refuse(path, `it must lie in a folder: "${folder}" is a file`);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isDirectory) refuse(path, "it must be a file: it is a folder");
  if (info && !overwrite) {
    refuse(path, "the file must not exist yet: it does", { hint: "Pass --overwrite to replace it." });
  }
}

function refuse(path: string, state: string, options: { hint?: string; cause?: unknown } = {}): never {
  throw new InputError(`Cannot write "${path}": ${state}`, options);
}

/** The bytes reach the disk, not only its cache, before the rename can replace an earlier file. */
async function writeToDisk(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes, { createNew: true });
  using file = await Deno.open(path, { write: true });
  await file.syncData();
}

/**
 * Takes the final name, or fails if a file has it by now. A hard link is that in one step; where the file system knows
 * none (FAT, some network shares), an empty file holds the place.
 *
 * @returns whether it is such a file
 */
async function claim(temporary: string, path: string, link: FileOperations["link"]): Promise<boolean> {
  try {
    await link(temporary, path);
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await Deno.writeFile(path, new Uint8Array(), { createNew: true });
    return true;
  }
}
