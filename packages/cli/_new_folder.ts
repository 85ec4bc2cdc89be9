import { InputError } from "@fluxsr/core";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** What a model folder has; a folder with anything else is not replaced. */
const OF_A_MODEL = /^(transformer|vae|lora|.*\.(safetensors|gguf|json|md|txt)|LICENSE.*)$/;

/**
 * Fills a new folder at `path`, whole or not at all: `fill` is given `<path>.part`, which takes the name once it is
 * done. With `overwrite` the model folder that is there is then removed.
 *
 * @param options `bytes` is what it will take, checked against the free space where the system tells that
 * @throws {InputError} if `path` exists, or is no model folder to be replaced, or the disk has no room
 */
export async function fillNewFolder(
  path: string,
  { overwrite, bytes }: { overwrite: boolean; bytes: number },
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  await checkTarget(target, { path, overwrite });
  const part = `${target}.part`;
  try {
    await Deno.remove(part, { recursive: true }).catch(() => {}); // of an earlier run that was stopped
    await Deno.mkdir(part, { recursive: true });
    await checkSpace(part, { path, bytes });
    await fill(part);
    if (overwrite) await Deno.remove(target, { recursive: true }).catch(ifMissing);
    await Deno.rename(part, target);
  } catch (error) {
    await Deno.remove(part, { recursive: true }).catch(() => {});
    throw error instanceof Error && "code" in error
      ? refuse(path, `its folder must be writable: ${error.message}`)
      : error;
  }
}

async function checkTarget(target: string, { path, overwrite }: { path: string; overwrite: boolean }): Promise<void> {
  const info = await Deno.stat(target).catch(() => undefined);
  if (!info) return;
  if (!info.isDirectory) throw refuse(path, "it must be a folder: it is a file");
  const names = [...Deno.readDirSync(target)].map(({ name }) => name);
  if (names.length === 0) return;
  if (!overwrite) throw refuse(path, "the folder must not exist yet: it does", "pass --overwrite to replace it");
  const other = names.find((name) => !OF_A_MODEL.test(name));
  if (other === undefined) return;
  throw refuse(path, `only a model folder is replaced: it holds "${other}"`, "choose another folder, or remove it");
}

async function checkSpace(folder: string, { path, bytes }: { path: string; bytes: number }): Promise<void> {
  const disk = await statfs(dirname(folder)).catch(() => undefined);
  const free = disk && disk.bavail * disk.bsize;
  if (free === undefined || free >= bytes) return;
  throw refuse(path, `the disk must have ${gigabytes(bytes)} free: it has ${gigabytes(free)}`);
}

/** `23.8 GB`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`;
}

function ifMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function refuse(path: string, state: string, hint?: string): InputError {
  return new InputError(`Cannot write "${path}": ${state}`, hint === undefined ? {} : { hint });
}
