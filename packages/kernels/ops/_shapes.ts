import { sameShape, type Shape, show, type Tensor } from "../tensor/tensor.ts";

type Sizes<Axes extends readonly string[]> = { -readonly [K in keyof Axes]: number };

/**
 * The sizes of `x`, one for each of the named axes.
 * @throws {TypeError} if `x` has another rank or is not f32
 */
export function sizes<const Axes extends readonly string[]>(op: string, x: Tensor, axes: Axes): Sizes<Axes> {
  requireF32(op, { x });
  if (x.shape.length !== axes.length) {
    throw new TypeError(`Cannot run "${op}": x must be [${axes.join(", ")}]: it is ${show(x.shape)}`);
  }
  return x.shape as unknown as Sizes<Axes>;
}

/** @throws {TypeError} unless each of `tensors` is f32 and has `shape`. */
export function requireShape(op: string, tensors: Readonly<Record<string, Tensor>>, shape: Shape): void {
  requireF32(op, tensors);
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!sameShape(tensor.shape, shape)) {
      throw new TypeError(`Cannot run "${op}": ${name} must be ${show(shape)}: it is ${show(tensor.shape)}`);
    }
  }
}

/** @throws {TypeError} unless each of `tensors` that is given is f32. */
export function requireF32(op: string, tensors: Readonly<Record<string, Tensor | undefined>>): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!tensor || tensor.dtype === "f32") continue;
    throw new TypeError(`Cannot run "${op}": ${name} must be f32: it is ${tensor.dtype}`);
  }
}
