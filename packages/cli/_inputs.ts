import { InputError, isPictureName, noPicture, pictureNames } from "@fluxsr/core";
import { glob } from "node:fs/promises";
import { extname, join, resolve } from "node:path";

/** A picture file to upscale, or why an argument gave none. */
export type Input =
  | { readonly path: string; readonly error?: undefined }
  | { readonly path: string; readonly error: InputError; readonly matchedNothing: boolean };

/**
 * The picture files that arguments stand for, in the order of the arguments, each file once.
 *
 * An argument is a file; a folder, for its pictures (not those of its subfolders); or else a glob. Whatever exists under
 * the name of a glob comes first. `isList` is true if a folder or glob was among them, or several files.
 */
export async function findInputs(args: readonly string[]): Promise<{ inputs: Input[]; isList: boolean }> {
  const inputs: Input[] = [];
  const seen = new Set<string>();
  let isList = false;
  for (const arg of args) {
    const found = await find(arg);
    isList ||= found.isPattern;
    for (const input of found.inputs) {
      if (seen.has(resolve(input.path))) continue;
      seen.add(resolve(input.path));
      inputs.push(input);
    }
  }
  return { inputs, isList: isList || inputs.length > 1 };
}

/** Whether the folders and globs that were given have no picture at all, and nothing else was given. */
export function nothingFound(inputs: readonly Input[]): boolean {
  return inputs.every((input) => input.error && input.matchedNothing);
}

async function find(arg: string): Promise<{ inputs: Input[]; isPattern: boolean }> {
  const info = await statOrMissing(arg);
  if (info === "missing" && /[*?[\]{}]/.test(arg)) return { inputs: await matching(arg), isPattern: true };
  if (info === "missing") {
    const error = new InputError(`Cannot read "${arg}": the file must exist: there is none of this name`);
    return { inputs: [{ path: arg, error, matchedNothing: false }], isPattern: false };
  }
  if (info !== "unknown" && info.isDirectory) return { inputs: await picturesIn(arg), isPattern: true };
  return { inputs: [{ path: arg }], isPattern: false };
}

/** "unknown" if the system does not tell: reading it will say why. */
async function statOrMissing(path: string): Promise<Deno.FileInfo | "missing" | "unknown"> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    return isMissing || path === "" ? "missing" : "unknown";
  }
}

async function picturesIn(folder: string): Promise<Input[]> {
  let names: string[];
  try {
    names = await pictureNames(folder);
  } catch (error) {
    if (error instanceof InputError) return unmatched(folder, error);
    throw error;
  }
  const pictures = names.filter((name) => !isOwnResult(name, names));
  const files = await onlyFiles(pictures.map((name) => join(folder, name)));
  if (files.length > 0) return files;
  const state = names.length > 0 ? "it has only results of earlier runs" : "it has none";
  const hint = `name files in subfolders by a glob, e.g. "${join(folder, "**", "*.png")}"`;
  return unmatched(folder, noPicture(folder, { state, hint }));
}

/** `a_x4.png` and `a_x4_compare.png` beside `a.jpg`: a second run over a folder must not enlarge them again. */
function isOwnResult(name: string, names: readonly string[]): boolean {
  const [, stem] = /^(.+)_x[1-8](?:_compare)?\.[^.]+$/.exec(name) ?? [];
  if (stem === undefined) return false;
  return names.some((other) => {
    const extension = extname(other);
    const otherStem = other.slice(0, -extension.length);
    return otherStem === stem || `${otherStem}_${extension.slice(1)}` === stem;
  });
}

async function matching(pattern: string): Promise<Input[]> {
  const paths: string[] = [];
  for await (const path of glob(pattern)) if (isPictureName(path)) paths.push(path);
  const files = await onlyFiles(paths.sort());
  if (files.length > 0) return files;
  return unmatched(pattern, new InputError(`Cannot read "${pattern}": a glob must match a picture: it matches none`));
}

async function onlyFiles(paths: readonly string[]): Promise<Input[]> {
  const files: Input[] = [];
  for (const path of paths) {
    const info = await statOrMissing(path);
    if (typeof info === "string" || info.isFile) files.push({ path });
  }
  return files;
}

function unmatched(path: string, error: InputError): Input[] {
  return [{ path, error, matchedNothing: true }];
}
