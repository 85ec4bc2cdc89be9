import { sizeOf } from "@fluxsr/kernels";

/** `values` of `shape` with axes in another order. */
export function permuted(
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = axes.map((axis) => shape[axis] ?? 0);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const result = new Float32Array(values.length);
  let at = 0;
  const copy = (depth: number, from: number): void => {
    const [size = 0, step = 0] = [sizes[depth], steps[depth]];
    for (let i = 0; i < size; i++) {
      if (depth === sizes.length - 1) result[at++] = values[from + i * step] ?? 0;
      else copy(depth + 1, from + i * step);
    }
  };
  copy(0, 0);
  return result;
}
