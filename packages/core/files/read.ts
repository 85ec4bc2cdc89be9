import { InputError } from "../errors.ts";
import { quote } from "./messages.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  ENOTDIR: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "path must be a file: it is a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EIO: "the disk reports a read or write error",
};

/** The {@linkcode InputError} for a failed system call, `Cannot <action>: <reason>`; any other error as it is. */
export function ioError(action: string, cause: unknown): unknown {
  // An abort, for one, has a number there.
  if (!(cause instanceof Error) || !("code" in cause) || typeof cause.code !== "string") return cause;
  const reason = REASONS[cause.code] ?? cause.message.split("\n")[0];
  return new InputError(`Cannot ${action}: ${reason}`, { cause });
}

/** What is at `path`. */
export async function pathKind(path: string): Promise<"file" | "folder" | "none" | "other"> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    return isFile ? "file" : isDirectory ? "folder" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "none";
    throw ioError(`open ${quote(path)}`, error);
  }
}

/** The sorted names in folder `path` that end with `ending`. */
export async function listFiles(path: string, ending: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (!isDirectory && !name.startsWith(".") && name.endsWith(ending)) names.push(name);
    }
  } catch (error) {
    throw ioError(`list ${quote(path)}`, error);
  }
  return names.sort();
}

/** Largest JSON file that is read: the index of a large sharded model has 0.2 MiB. */
const MAX_JSON_BYTES = 16 * 2 ** 20;

/**
 * The parsed contents of a small JSON file.
 * @throws {InputError} if it cannot be read, is too large, or is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw new InputError(`Cannot read ${quote(path)}: path must be a file`);
    if (size > MAX_JSON_BYTES) {
      throw new InputError(
        `Cannot read ${quote(path)}: file must have at most ${MAX_JSON_BYTES} bytes: it has ${size}`,
      );
    }
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw ioError(`read ${quote(path)}`, error);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`Cannot read ${quote(path)}: contents must be JSON`, { cause });
  }
}
