import { InputError } from "../errors.ts";
import { concatBytes } from "../files/concat_bytes.ts";
import { quote, showShape } from "../files/messages.ts";
import { dequantize, isReadableDtype, READABLE } from "./dtypes/dequantize.ts";
import { fromF32 } from "./dtypes/dtype.ts";
import { type StoredTensor, type TensorInfo, type WeightSource, weightSource } from "./weight_source.ts";

/** How a tensor is made from those of another source. */
export interface Recipe {
  /** Names in the other source; the rows of several are stacked in this order. */
  readonly parts: readonly string[];
  /** Exchange the upper and lower half of the rows. */
  readonly swapHalves?: boolean;
  /** A linear weight [C, C] becomes that of a 1x1 convolution, [C, C, 1, 1]. */
  readonly asConvolution?: boolean;
}

/**
 * `source` under other names. Parts of different dtypes or scales are stacked as F32.
 * @throws {InputError} if parts are missing or do not fit together.
 */
export function renamedSource(source: WeightSource, recipes: ReadonlyMap<string, Recipe>): WeightSource {
  const tensors = new Map([...recipes].map(([name, recipe]) => [name, describe(name, recipe, source)]));
  const find = (name: string) => {
    const recipe = recipes.get(name), info = tensors.get(name);
    if (recipe && info) return { recipe, info };
    throw new InputError(`Cannot read ${quote(name)}: ${quote(source.path)} has no such tensor`);
  };
  const read = async (name: string): Promise<StoredTensor> => {
    const { recipe, info } = find(name);
    const parts: StoredTensor[] = [];
    for (const part of recipe.parts) parts.push(await source.read(part));
    const bytes = parts.length === 1 ? parts[0]!.bytes : concatBytes(parts.map((part) => convert(part, info)));
    return { ...info, bytes: recipe.swapHalves ? swapHalves(bytes) : bytes };
  };
  return weightSource({
    path: source.path,
    tensors,
    metadata: source.metadata,
    read,
    async stream(name) {
      const { recipe: { parts, swapHalves }, info } = find(name);
      if (parts.length === 1 && !swapHalves) return { ...await source.stream(parts[0]!), shape: info.shape };
      const isStacked = parts.every((part) => source.tensors.get(part)?.dtype === info.dtype);
      if (isStacked && !swapHalves) return { ...info, chunks: stacked(source, parts) };
      const { bytes, ...stored } = await read(name);
      return { ...stored, chunks: [bytes] };
    },
    close: () => source.close(),
  });
}

/** The bytes of all `parts`, one after the other. */
async function* stacked(source: WeightSource, parts: readonly string[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const part of parts) yield* (await source.stream(part)).chunks;
}

function describe(name: string, { parts, swapHalves, asConvolution }: Recipe, source: WeightSource): TensorInfo {
  const fail = (rule: string) => new InputError(`Cannot load ${quote(name)}: ${rule}`);
  const infos = parts.map((part) => {
    const info = source.tensors.get(part);
    if (!info) throw fail(`its part ${quote(part)} is missing`);
    return info;
  });
  const first = infos[0]!;
  if (swapHalves && (first.shape[0] ?? 1) % 2 !== 0) {
    throw fail(`rows must be even in number: ${quote(parts[0]!)} is ${showShape(first.shape)}`);
  }
  if (asConvolution && first.shape.length === 2) return { ...first, shape: [...first.shape, 1, 1] };
  if (infos.length === 1) return first;
  const [, ...inner] = first.shape;
  let rows = 0, { dtype, scale } = first;
  for (const [i, info] of infos.entries()) {
    if (info.shape.length === 0 || showShape(info.shape.slice(1)) !== showShape(inner)) {
      throw fail(
        `its parts must agree in all but rows: ${quote(parts[0]!)} is ${showShape(first.shape)}, ` +
          `${quote(parts[i]!)} is ${showShape(info.shape)}`,
      );
    }
    if (info.dtype !== first.dtype || info.scale !== first.scale) {
      const other = [info.dtype, first.dtype].find((dtype) => !isReadableDtype(dtype));
      if (other) throw fail(`its parts must be ${READABLE} to be stacked: one is ${other}`);
      dtype = "F32";
      scale = undefined;
    }
    rows += info.shape[0]!;
  }
  return { dtype, shape: [rows, ...inner], ...scale !== undefined && { scale } };
}

function convert({ dtype, bytes, scale }: StoredTensor, to: TensorInfo): Uint8Array {
  return dtype === to.dtype || !isReadableDtype(dtype) ? bytes : fromF32(dequantize(bytes, { dtype, scale }), "F32");
}

function swapHalves(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes([bytes.subarray(bytes.length / 2), bytes.subarray(0, bytes.length / 2)]);
}
