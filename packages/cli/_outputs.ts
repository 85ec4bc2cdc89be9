import { InputError } from "@fluxsr/core";
import { basename, dirname, extname, join, resolve } from "node:path";
import { UsageError } from "./_errors.ts";
import type { Input } from "./_inputs.ts";

/** One picture to make. With `error` it cannot be made. */
export interface Job {
  readonly input: string;
  readonly output?: string;
  /** Where the before/after picture goes. */
  readonly comparison?: string;
  readonly error?: InputError;
}

/** Options of {@linkcode planOutputs}. */
export interface OutputOptions {
  /** What the user gave: a file, a folder or nothing. */
  readonly output: string | undefined;
  readonly scale: number;
  readonly compare: boolean;
  readonly overwrite: boolean;
  /** Whether there are several inputs, or may be the next time. */
  readonly isList: boolean;
}

/** Extensions of the formats that are written. */
const WRITABLE = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff"];

/**
 * Where each result goes, checked as far as it can be before the work: the folder is there and writable, no file is
 * replaced without `overwrite`, no input is replaced at all, and no two results have the same name.
 *
 * @throws {UsageError} if `output` is a file for several inputs, or of a format that is not written
 */
export async function planOutputs(inputs: readonly Input[], options: OutputOptions): Promise<Job[]> {
  const name = await namer(inputs, options);
  const taken = new Map(await fileKeys(inputs));
  const jobs: Job[] = [];
  const folders = new Map<string, InputError | undefined>();
  for (const { path: input, error } of inputs) {
    if (error) {
      jobs.push({ input, error });
      continue;
    }
    const output = name(input);
    const comparison = `${output.slice(0, -extname(output).length)}_compare.png`;
    const paths = options.compare ? [output, comparison] : [output];
    const problem = await firstProblem(paths, { taken, folders, overwrite: options.overwrite });
    for (const path of paths) if (!problem) taken.set(resolve(path), { owner: input, isInput: false });
    jobs.push({ input, output, ...(options.compare && { comparison }), ...(problem && { error: problem }) });
  }
  return jobs;
}

/** Who has a file. */
interface Owner {
  readonly owner: string;
  readonly isInput: boolean;
}

/** The inputs under what identifies a file: its absolute path, and its number on the disk (links, upper and lower case). */
async function fileKeys(inputs: readonly Input[]): Promise<[string, Owner][]> {
  const keys: [string, Owner][] = [];
  for (const { path, error } of inputs) {
    if (error) continue;
    const number = await diskNumber(path);
    for (const key of [resolve(path), ...(number ? [number] : [])]) keys.push([key, { owner: path, isInput: true }]);
  }
  return keys;
}

async function diskNumber(path: string): Promise<string | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.ino ? `${info.dev}:${info.ino}` : undefined;
}

/** The rule that names outputs, once for all inputs. */
async function namer(
  inputs: readonly Input[],
  { output, scale, isList }: OutputOptions,
): Promise<(input: string) => string> {
  const folder = await outputFolder(output, { isList });
  if (output !== undefined && folder === undefined) return () => output;
  const plain = (input: string) => join(folder ?? dirname(input), `${parse(input).stem}_x${scale}.png`);
  const counts = new Map<string, number>();
  for (const { path, error } of inputs) {
    if (!error) counts.set(resolve(plain(path)), (counts.get(resolve(plain(path))) ?? 0) + 1);
  }
  return (input) => {
    if (counts.get(resolve(plain(input))) === 1) return plain(input);
    const { stem, extension } = parse(input);
    return join(folder ?? dirname(input), `${stem}_${extension.slice(1)}_x${scale}.png`);
  };
}

function parse(path: string): { stem: string; extension: string } {
  const extension = extname(path);
  return { stem: basename(path, extension), extension };
}

/** The folder that `output` stands for, undefined if it is a file or was not given. */
async function outputFolder(output: string | undefined, { isList }: { isList: boolean }): Promise<string | undefined> {
  if (output === undefined) return undefined;
  const info = await Deno.stat(output).catch(() => undefined);
  if (info?.isDirectory || /[/\\]$/.test(output)) return output;
  const isFileName = WRITABLE.includes(extname(output).toLowerCase());
  if (isList && (info || isFileName)) {
    throw new UsageError(
      `Cannot write to "${output}": several inputs must go to a folder: it is a file name`,
      `end the name in "/" for a folder`,
    );
  }
  if (isList) return output;
  if (isFileName) return undefined;
  throw new UsageError(
    `Cannot write to "${output}": the name must end in one of ${WRITABLE.join(" ")}: it ends in "${extname(output)}"`,
    `end the name in "/" for a folder`,
  );
}

async function firstProblem(
  paths: readonly string[],
  { taken, folders, overwrite }: {
    taken: ReadonlyMap<string, Owner>;
    folders: Map<string, InputError | undefined>;
    overwrite: boolean;
  },
): Promise<InputError | undefined> {
  for (const path of paths) {
    const other = taken.get(resolve(path)) ?? taken.get(await diskNumber(path) ?? "");
    if (other?.isInput) return refuse(path, `it must not be an input: it is "${other.owner}"`);
    if (other) return refuse(path, `no two inputs may have the same output: it is that of "${other.owner}"`);
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isDirectory) return refuse(path, "it must be a file: it is a folder");
    if (info && !overwrite) {
      return refuse(path, "the file must not exist yet: it does", "pass --overwrite to replace it");
    }
    const folder = dirname(path);
    if (!folders.has(folder)) folders.set(folder, undefined);
  }
  return undefined;
}

function refuse(path: string, state: string, hint?: string): InputError {
  return new InputError(`Cannot write "${path}": ${state}`, hint === undefined ? {} : { hint });
}
