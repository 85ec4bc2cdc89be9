import { InputError } from "../errors.ts";
import { quote, showShape } from "../files/messages.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/**
 * Size `axis` of tensor `name` of `source`.
 * @throws {InputError} if there is no such tensor or axis, or the size is 0.
 */
export function sizeIn(source: WeightSource, name: string, axis: number): number {
  const shape = source.tensors.get(name)?.shape;
  if (!shape) throw new InputError(`Cannot load ${quote(source.path)}: tensor ${quote(name)} is missing`);
  const size = shape[axis];
  if (!size) {
    throw new InputError(`Cannot load ${quote(name)}: size ${axis} must be above 0: file has ${showShape(shape)}`);
  }
  return size;
}
