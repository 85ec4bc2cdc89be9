import { InputError } from "../errors.ts";
import { quote, showShape } from "../files/messages.ts";
import { checkFinite } from "../weights/check.ts";
import type { MmditConfig } from "./configs.ts";
import { openWeights } from "../weights/open_weights.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/** What the transformer is told of the text: `txt` [T, context_in_dim] and the pooled `y` [vec_in_dim]. */
export interface Conditioning {
  readonly txt: Float32Array<ArrayBuffer>;
  readonly txt_shape: readonly [tokens: number, context_in_dim: number];
  readonly y: Float32Array<ArrayBuffer>;
}

/**
 * The conditioning in the safetensors file `path` (tensors `txt` and `y`, each with or without a leading 1), or one
 * zero token and a zero vector if there is no file.
 * @throws {InputError} if a tensor is missing, or does not fit the transformer.
 */
export async function readConditioning(path: string | undefined, config: MmditConfig): Promise<Conditioning> {
  const { context_in_dim, vec_in_dim } = config;
  if (path === undefined) {
    const txt = new Float32Array(context_in_dim);
    return { txt, txt_shape: [1, context_in_dim], y: new Float32Array(vec_in_dim) };
  }
  using source = await openWeights(path);
  const [tokens = 0] = shapeOf(source, "txt", [undefined, context_in_dim]);
  shapeOf(source, "y", [vec_in_dim]);
  const txt = await source.readF32("txt"), y = await source.readF32("y");
  checkFinite("txt", txt, { path });
  checkFinite("y", y, { path });
  return { txt, txt_shape: [tokens, context_in_dim], y };
}

/** The shape of tensor `name` without a leading 1; `wanted` says its sizes, undefined for any above 0. */
function shapeOf(source: WeightSource, name: string, wanted: readonly (number | undefined)[]): readonly number[] {
  const shape = source.tensors.get(name)?.shape;
  if (!shape) throw new InputError(`Cannot load ${quote(source.path)}: tensor ${quote(name)} is missing`);
  const inner = shape.length === wanted.length + 1 && shape[0] === 1 ? shape.slice(1) : shape;
  if (inner.length === wanted.length && inner.every((size, i) => size === (wanted[i] ?? (size || 1)))) return inner;
  const needs = wanted.map((size) => size ?? "T").join(", ");
  throw new InputError(`Cannot load ${quote(name)}: file has ${showShape(shape)}, model needs [${needs}]`);
}
