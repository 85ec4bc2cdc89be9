import type { Size } from "@fluxsr/kernels";
import { join, parse } from "node:path";
import { InputError } from "../errors.ts";
import { pictureSize } from "../image/picture_size.ts";
import { noPicture, pictureNames } from "../image/picture_names.ts";

/** A picture file and what it should be once enlarged. */
export interface PicturePair {
  /** What the names of both files begin with. */
  readonly name: string;
  readonly low: string;
  readonly truth: string;
}

/** The pairs of a folder, and how many times larger the ground truth is in all of them. */
export interface PairsFolder {
  readonly pairs: readonly PicturePair[];
  readonly scale: number;
}

/**
 * Finds the pictures of the folders `LR` and `GT` in `path` that have the same name but for the extension, by name.
 * Only headers are read.
 *
 * @throws {InputError} if a folder or a partner is missing, two pictures have the same name, or the ground truth is not in
 * all pairs the same whole number of times larger, 1 to 8
 */
export async function findPairs(path: string): Promise<PairsFolder> {
  const [low, truth] = [await picturesByName(join(path, "LR")), await picturesByName(join(path, "GT"))];
  for (const [folder, files, others] of [["GT", truth, low], ["LR", low, truth]] as const) {
    const alone = [...others.keys()].find((name) => !files.has(name));
    if (alone !== undefined) {
      throw refuse(path, `every picture must be in LR and GT: ${folder} has no "${alone}"`);
    }
  }
  const pairs = [...low].map(([name, file]) => ({ name, low: file, truth: truth.get(name)! }));
  let scale: number | undefined;
  for (const pair of pairs) {
    const own = await scaleOf(path, pair);
    scale ??= own;
    if (own !== scale) {
      throw refuse(path, `the scale must be the same in all pairs: "${pair.name}" has ${own}, those before ${scale}`);
    }
  }
  return { pairs, scale: scale! };
}

/**
 * The pictures of a folder that another program made of the pairs: named as these, or with `_x<scale>` behind the name as
 * `upscale` writes them; of the ground truth's size. Returns their files in the order of `pairs`.
 *
 * @throws {InputError} if one is missing or has another size
 */
export async function findResults(path: string, { pairs, scale }: PairsFolder): Promise<string[]> {
  const files = await picturesByName(path);
  const found: string[] = [];
  for (const { name, truth } of pairs) {
    const file = files.get(name) ?? files.get(`${name}_x${scale}`);
    if (file === undefined) {
      throw refuse(path, `every pair must have its picture: there is no "${name}", nor "${name}_x${scale}"`);
    }
    const [own, wanted] = [await pictureSize(file), await pictureSize(truth)];
    if (show(own) !== show(wanted)) {
      throw refuse(path, `sizes must be those of GT: "${name}" is ${show(own)}, GT ${show(wanted)}`);
    }
    found.push(file);
  }
  return found;
}

/** The picture files of a folder by their names without extension, sorted. */
async function picturesByName(folder: string): Promise<Map<string, string>> {
  const names = await pictureNames(folder);
  if (names.length === 0) throw noPicture(folder);
  const files = new Map<string, string>();
  for (const name of names) {
    const { name: stem } = parse(name);
    const other = files.get(stem);
    if (other !== undefined) {
      throw refuse(folder, `names must differ without their extensions: it has "${parse(other).base}" and "${name}"`);
    }
    files.set(stem, join(folder, name));
  }
  return files;
}

async function scaleOf(path: string, { name, low, truth }: PicturePair): Promise<number> {
  const [small, large] = [await pictureSize(low), await pictureSize(truth)];
  const scale = large.width / small.width;
  if (Number.isInteger(scale) && scale >= 1 && scale <= 8 && small.height * scale === large.height) return scale;
  const rule = "GT must be a whole number of times larger than LR, 1 to 8";
  throw refuse(path, `${rule}: "${name}" is ${show(large)} and ${show(small)}`);
}

function show({ width, height }: Size): string {
  return `${width} x ${height}`;
}

function refuse(path: string, state: string): InputError {
  return new InputError(`Cannot read "${path}": ${state}`);
}
