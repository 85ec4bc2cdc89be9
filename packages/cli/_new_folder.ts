import { byteSize, InputError, type NetworkName, networksIn, osReason } from "@fluxsr/core";
import { statfs } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { stoppable } from "./_stoppable.ts";

/** What a model folder has; a folder with anything else is not replaced. */
const OF_A_MODEL = /^(transformer|vae|lora|.*\.(safetensors|gguf|json|md|txt)|LICENSE.*)$/i;

/** What {@linkcode fillNewFolder} makes. */
export interface NewFolder {
  /** Whether a model folder that exists is replaced. */
  readonly overwrite: boolean;
  /** What the new one will have: one with a network beyond these is not replaced. */
  readonly networks: readonly NetworkName[];
  /** What it will take, checked against the free space where the system tells that. */
  readonly bytes: number;
  /** What is read meanwhile. */
  readonly input?: string;
}

/**
 * Fills a new folder at `path`, whole or not at all: `fill` is given `<path>.part`, which takes the name once it is done,
 * and a signal that Ctrl-C raises. With `overwrite` the model folder that is there steps aside then, and is removed once
 * the new one has its name.
 *
 * @returns whether it is there; not if the user interrupted the work
 * @throws {InputError} if `path` exists, or is no model folder to be replaced, or the disk has no room
 */
export async function fillNewFolder(
  path: string,
  folder: NewFolder,
  fill: (part: string, signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const target = await Deno.realPath(path).catch(() => resolve(path));
  const isReplaced = await checkTarget(target, path, folder);
  const part = `${target}.part`;
  await makePart(part, path);
  const isFilled = await stoppable(async (signal) => {
    try {
      await checkSpace(part, path, folder);
      await fill(part, signal);
      return true;
    } catch (error) {
      await Deno.remove(part, { recursive: true }).catch(() => {});
      if (signal.aborted && error === signal.reason) return false;
      throw inWords(path, error);
    }
  });
  if (isFilled) await takePlace(part, target, { path, isReplaced });
  return isFilled;
}

/** Whether a model is replaced. */
async function checkTarget(target: string, path: string, folder: NewFolder): Promise<boolean> {
  const info = await Deno.stat(target).catch(() => undefined);
  if (!info) return false;
  if (!info.isDirectory) throw refuse(path, "it must be a folder: it is a file");
  if (info.dev !== (await Deno.stat(dirname(target))).dev) {
    throw refuse(path, "it must not be a mount point, since it is replaced as a whole", "name a folder inside it");
  }
  const names = [...Deno.readDirSync(target)].map(({ name }) => name);
  if (names.length === 0) return false;
  if (!folder.overwrite) throw refuse(path, "the folder must not exist yet: it does", "pass --overwrite to replace it");
  await checkReplaced(target, path, { ...folder, names });
  return true;
}

/** That nothing goes with the folder at `target` but a model in place of which there is another. */
async function checkReplaced(
  target: string,
  path: string,
  { names, networks, input }: NewFolder & { names: readonly string[] },
): Promise<void> {
  const other = names.find((name) => !OF_A_MODEL.test(name));
  if (other !== undefined) {
    throw refuse(path, `only a model folder is replaced: it holds "${other}"`, "choose another folder, or remove it");
  }
  const held = await networksIn(target);
  if (held.size === 0) {
    throw refuse(path, "only a model folder is replaced: it holds no transformer and no autoencoder");
  }
  const lost = [...held].find((name) => !networks.includes(name));
  if (lost) {
    const what = lost === "vae" ? "an autoencoder" : "a transformer";
    const state = `what is replaced must have no more networks than the new one: it has ${what} too`;
    throw refuse(path, state, "convert the whole folder, or choose another");
  }
  if (input === undefined) return;
  const source = await Deno.realPath(input);
  if (isInside(source, target) || isInside(target, source)) {
    throw refuse(path, `it must not lie in "${input}", nor that in it: one of them would go`, "choose another folder");
  }
}

function isInside(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way !== "" && !way.startsWith("..");
}

/** Makes the folder that is filled; it is never one that somebody else may be filling. */
async function makePart(part: string, path: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(part), { recursive: true });
    await Deno.mkdir(part);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw inWords(path, error);
    throw refuse(
      path,
      `"${part}" must not exist: it does`,
      "another process may be writing it; if none is, one was killed: remove it",
    );
  }
}

async function checkSpace(part: string, path: string, { bytes }: NewFolder): Promise<void> {
  const disk = await statfs(dirname(part)).catch(() => undefined);
  const free = disk && disk.bavail * disk.bsize;
  if (free === undefined || free >= bytes) return;
  throw refuse(path, `the disk must have ${byteSize(bytes)} free: it has ${byteSize(free)}`);
}

/** Gives `part` the name `target`. A model that is replaced steps aside, and is removed last. */
async function takePlace(
  part: string,
  target: string,
  { path, isReplaced }: { path: string; isReplaced: boolean },
): Promise<void> {
  const aside = `${target}.old-${crypto.randomUUID().slice(0, 8)}`;
  try {
    if (isReplaced) await Deno.rename(target, aside);
    await Deno.rename(part, target).catch(async (error) => {
      if (isReplaced) await Deno.rename(aside, target);
      throw error;
    });
  } catch (error) {
    throw refuse(path, `its name must be free: ${osReason(error)}`, `the new folder is whole, as "${part}"`);
  }
  if (!isReplaced) return;
  await Deno.remove(aside, { recursive: true }).catch((error) => {
    throw new InputError(`Cannot remove "${aside}", which "${path}" replaced: ${osReason(error)}`);
  });
}

/** A failed system call in the user's words; any other error as it is. */
function inWords(path: string, error: unknown): unknown {
  const isFromSystem = error instanceof Error && "code" in error && typeof error.code === "string";
  return isFromSystem ? refuse(path, `its folder must be writable: ${osReason(error)}`) : error;
}

function refuse(path: string, state: string, hint?: string): InputError {
  return new InputError(`Cannot write "${path}": ${state}`, hint === undefined ? {} : { hint });
}
