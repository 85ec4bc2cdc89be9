import type { InputError } from "@fluxsr/core";
import { basename, dirname, extname, join, resolve } from "node:path";
import { UsageError } from "./_errors.ts";
import type { Input } from "./_inputs.ts";
import { Places } from "./_places.ts";

/** One picture to make. With `error` it cannot be made. */
export interface Job {
  readonly input: string;
  readonly output: string;
  /** Where the before/after picture goes. */
  readonly comparison: string | undefined;
  readonly error: InputError | undefined;
}

/** Options of {@linkcode planOutputs}. */
export interface OutputOptions {
  /** What the user gave: a file, a folder or nothing. */
  readonly output: string | undefined;
  readonly scale: number;
  readonly compare: boolean;
  readonly overwrite: boolean;
  /** Whether a folder or glob was given, or several files. */
  readonly isList: boolean;
}

/** Extensions of the formats that are written. */
const WRITABLE = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff"];

/**
 * Where each result goes, checked as far as it can be before the work, see {@linkcode Places}. Inputs of the same name
 * up to the extension keep it: `a_png_x4.png` and `a_jpg_x4.png`.
 *
 * @throws {UsageError} if `output` is a file for several inputs, or of a format that is not written
 */
export async function planOutputs(inputs: readonly Input[], options: OutputOptions): Promise<Job[]> {
  const { output, scale, compare, overwrite } = options;
  const folder = await outputFolder(options);
  const good = inputs.filter(({ error }) => !error).map(({ path }) => path);
  const nameOf = output !== undefined && folder === undefined ? () => output : resultNames(good, { folder, scale });
  const places = await Places.around(good, { overwrite, create: folder });
  const jobs: Job[] = [];
  for (const { path: input, error } of inputs) {
    const path = nameOf(input);
    const comparison = compare ? `${withoutExtension(path)}_compare.png` : undefined;
    const problem = error ?? await places.take(comparison === undefined ? [path] : [path, comparison], { for: input });
    jobs.push({ input, output: path, comparison, error: problem });
  }
  return jobs;
}

/** The folder that `output` stands for, undefined if it is a file or was not given. */
async function outputFolder({ output, isList }: OutputOptions): Promise<string | undefined> {
  if (output === undefined) return undefined;
  const info = await Deno.stat(output).catch(() => undefined);
  if (info?.isDirectory || /[/\\]$/.test(output)) return output;
  const isFileName = WRITABLE.includes(extname(output).toLowerCase());
  const hint = `end the name in "/" for a folder`;
  if (isList && (info || isFileName)) {
    throw new UsageError(`Cannot write to "${output}": several inputs must go to a folder: it is a file name`, hint);
  }
  if (isList) return output;
  if (isFileName) return undefined;
  throw new UsageError(
    `Cannot write to "${output}": the name must end in one of ${WRITABLE.join(" ")}: it ends in "${extname(output)}"`,
    hint,
  );
}

/** `<name>_x4.png`, in `folder` or beside the input; the old extension stays in the name if it would clash otherwise. */
function resultNames(
  inputs: readonly string[],
  { folder, scale }: { folder: string | undefined; scale: number },
): (input: string) => string {
  const named = (input: string, stem: string) => join(folder ?? dirname(input), `${stem}_x${scale}.png`);
  const plain = (input: string) => named(input, withoutExtension(basename(input)));
  const counts = new Map<string, number>();
  for (const key of inputs.map((input) => resolve(plain(input)))) counts.set(key, (counts.get(key) ?? 0) + 1);
  return (input) => {
    const isAlone = (counts.get(resolve(plain(input))) ?? 0) <= 1;
    const extension = extname(input).slice(1);
    if (isAlone || extension === "") return plain(input);
    return named(input, `${withoutExtension(basename(input))}_${extension}`);
  };
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}
