import { record } from "../tensor/tape.ts";
import { type Shape, show, sizeOf, Tensor } from "../tensor/tensor.ts";

/** The same elements under another shape, of which one size may be -1: what is left; shares the memory. */
export function reshape(x: Tensor, wanted: Shape): Tensor {
  const shape = wanted.map((size) => size === -1 ? -x.size / sizeOf(wanted) : size);
  if (sizeOf(shape) !== x.size || !shape.every(Number.isInteger)) {
    throw new TypeError(`Cannot reshape ${show(x.shape)} to ${show(shape)}: the number of elements must stay`);
  }
  x.gpu.buffers.retain(x.buffer);
  const y = new Tensor(x.gpu, x.buffer, shape, x.dtype);
  return record("reshape", y, { inputs: [x], saved: [], backward: (dy) => [reshape(dy, x.shape)] });
}
