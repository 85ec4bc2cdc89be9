import { diffusersModules, rowsOfPart } from "./diffusers_modules.ts";
import { isPointwise, toDiffusersName } from "./diffusers_autoencoder.ts";
import { countLevels } from "../weights/name_prefix.ts";
import { rowsOf, type RowTensor } from "../weights/row_tensor.ts";
import type { StreamedTensor } from "../weights/streamed_tensor.ts";

/** A tensor as it is in the BFL layout. */
export function wholeTensor(tensor: RowTensor): StreamedTensor {
  const { dtype, shape, scale } = tensor;
  return { dtype, shape, scale, chunks: () => tensor.rows(0, rowsOf(tensor).rows) };
}

/**
 * The tensors of a FLUX transformer, given under BFL names, under those of diffusers: rows of qkv and linear1 become
 * tensors of their own. The inverse of `mmditNames`.
 */
export function* diffusersMmdit(tensors: ReadonlyMap<string, RowTensor>): Generator<[string, StreamedTensor]> {
  const names = [...tensors.keys()];
  const depth = countLevels(names, /^double_blocks\.(\d+)\./);
  const depthSingle = countLevels(names, /^single_blocks\.(\d+)\./);
  const width = tensors.get("img_in.weight")!.shape[0]!;
  for (const [module, place] of diffusersModules(depth, depthSingle)) {
    const { module: bflModule, swapHalves } = place;
    for (const parameter of ["weight", "bias"]) {
      const isScale = parameter === "weight" && bflModule.endsWith("_norm");
      const tensor = tensors.get(`${bflModule}.${isScale ? "scale" : parameter}`);
      if (!tensor) continue; // norms have no bias, some models no guidance
      const { rows } = rowsOf(tensor);
      const { begin, end } = rowsOfPart(place, { rows, width });
      const chunks = swapHalves ? () => exchanged(tensor, rows) : () => tensor.rows(begin, end);
      const shape = [end - begin, ...tensor.shape.slice(1)];
      yield [`${module}.${parameter}`, { dtype: tensor.dtype, shape, scale: tensor.scale, chunks }];
    }
  }
}

/** The lower half of the rows, then the upper. */
async function* exchanged(tensor: RowTensor, rows: number): AsyncGenerator<Uint8Array> {
  yield* tensor.rows(rows / 2, rows);
  yield* tensor.rows(0, rows / 2);
}

/** The tensors of FLUX's autoencoder, given under BFL names, under those of diffusers. The inverse of `autoencoderNames`. */
export function* diffusersAutoencoder(tensors: ReadonlyMap<string, RowTensor>): Generator<[string, StreamedTensor]> {
  const levels = countLevels(tensors.keys(), /^decoder\.up\.(\d+)\./);
  for (const [name, tensor] of tensors) {
    const whole = wholeTensor(tensor);
    const shape = isPointwise(name) ? tensor.shape.slice(0, 2) : tensor.shape;
    yield [toDiffusersName(name, levels), { ...whole, shape }];
  }
}
