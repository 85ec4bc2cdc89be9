import { basename, join } from "node:path";
import { InputError, openWeights, osReason } from "@fluxsr/core";
import { type Fields, fieldsOf } from "./fields.ts";

/** A tensor passes when `max|a - ref| <= atol + rtol max|ref|`. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** A tensor on the host. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, Values>;

/** A folder with a `case.json`: what is computed, from which files, and how exactly it must come out. */
export class GoldenCase {
  readonly folder: string;
  readonly name: string;
  readonly kind: string;
  readonly config: Fields;
  readonly #json: Fields;

  /** Use {@linkcode readCase}. */
  constructor(folder: string, json: Fields) {
    this.folder = folder;
    this.#json = json;
    this.name = json.has("name") ? json.text("name") : basename(folder);
    this.kind = json.text("kind");
    this.config = json.object("config");
  }

  /** Paths in a case are relative to its folder. */
  path(relative: string): string {
    return join(this.folder, relative);
  }

  /** The tolerance of a group of tensors; a part that is left out is 0. */
  tolerance(group: string): Tolerance {
    const tolerance = this.#json.object("tolerances").object(group);
    const part = (key: string) => tolerance.has(key) ? tolerance.number(key) : 0;
    return { rtol: part("rtol"), atol: part("atol") };
  }

  /** A bound other than a tolerance. */
  bound(group: string, key: string): number {
    return this.#json.object("tolerances").object(group).number(key);
  }

  /** Weights that do not influence the loss: their gradients are zero but for rounding. */
  get zeroGradients(): readonly string[] {
    return this.#json.has("analytically_zero_grads") ? this.#json.texts("analytically_zero_grads") : [];
  }

  /** Of the gradient of a weight, every so many-th element is stored; all of it if the case does not say. */
  gradientStride(weight: string): number {
    const strides = this.#json.has("grad_strides") ? this.#json.object("grad_strides") : undefined;
    return strides?.has(weight) ? strides.number(weight) : 1;
  }

  /** The names of the case's files. */
  get files(): readonly string[] {
    return this.#json.has("files") ? this.#json.object("files").keys : [];
  }

  /** All tensors of a file of the case, which must have those that `case.json` lists. */
  async tensors(file: string): Promise<Tensors> {
    const tensors = await readTensors(this.path(file));
    const entry = this.files.includes(file) ? this.#json.object("files").object(file) : undefined;
    const listed = entry?.has("tensors") ? entry.objects("tensors").map((each) => each.text("name")) : [];
    const missing = listed.find((name) => !tensors.has(name));
    if (missing !== undefined) {
      throw new InputError(
        `Cannot read "${this.path(file)}": it must have the tensors that are listed: no "${missing}"`,
      );
    }
    return tensors;
  }
}

/** Reads `case.json` of a folder. @throws {InputError} if it is missing or not what it should be */
export async function readCase(folder: string): Promise<GoldenCase> {
  const path = join(folder, "case.json");
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw new InputError(`Cannot read "${path}": ${osReason(cause)}`, { cause });
  }
  return new GoldenCase(folder, fieldsOf(path, json));
}

/** All tensors of a safetensors file. */
export async function readTensors(path: string): Promise<Tensors> {
  using source = await openWeights(path);
  const tensors = new Map<string, Values>();
  for (const [name, { shape }] of source.tensors) tensors.set(name, { shape, values: await source.readF32(name) });
  return tensors;
}
