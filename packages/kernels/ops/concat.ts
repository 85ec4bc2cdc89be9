import { groups1d, kernel } from "../gpu/kernel.ts";
import { record, recordAll } from "../tensor/tape.ts";
import { empty, type Shape, show, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape } from "./_shapes.ts";
import { full } from "./elementwise.ts";
import source from "./concat.wgsl" with { type: "text" };

const WORKGROUP = 64;

const forms = byElem((elem) =>
  kernel({
    name: "concat.copy",
    sources: [elem, source],
    entry: "copy",
    binds: { x: "read", y: "write" },
    params: { count: "u32", block: "u32", x_stride: "u32", x_offset: "u32", y_stride: "u32", y_offset: "u32" },
  })
);

export const kernels = { scalar: forms.scalar, vec4: forms.vec4 };

/** Rows of the two tensors, in elements: `block` of them are copied from one offset to another. */
interface Rows {
  readonly count: number;
  readonly block: number;
  readonly from: { readonly stride: number; readonly offset: number };
  readonly to: { readonly stride: number; readonly offset: number };
}

function copy([x, y]: [Tensor, Tensor], { count, block, from, to }: Rows): void {
  if (count === 0) return;
  const { kernel, lanes } = widest(forms, block, from.stride, from.offset, to.stride, to.offset);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: {
      count: count / lanes,
      block: block / lanes,
      x_stride: from.stride / lanes,
      x_offset: from.offset / lanes,
      y_stride: to.stride / lanes,
      y_offset: to.offset / lanes,
    },
    groups: groups1d(count / lanes, WORKGROUP),
  });
}

/** The index of `axis`, which may count from the end, and the elements of one step along it. */
function along(op: string, shape: Shape, axis: number): { at: number; inner: number } {
  const at = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(at) || at < 0 || at >= shape.length) {
    throw new RangeError(`Cannot run "${op}": axis must be one of ${show(shape)}: it is ${axis}`);
  }
  return { at, inner: sizeOf(shape.slice(at + 1)) };
}

/**
 * Joins tensors that differ at most in their size along `axis` (negative: from the end):
 * `[..., n_0, ...], [..., n_1, ...], ... -> [..., n_0 + n_1 + ..., ...]`.
 * @throws {TypeError} if other sizes differ, or there is no tensor
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const first = tensors[0];
  if (!first) throw new TypeError('Cannot run "concat": it needs at least one tensor: given none');
  const { at, inner } = along("concat", first.shape, axis);
  for (const x of tensors) requireShape("concat", { x }, first.shape.with(at, x.shape[at] ?? 0));
  const parts = tensors.map(({ shape }) => shape[at] ?? 0);
  const total = parts.reduce((sum, part) => sum + part, 0);
  const y = empty(first.gpu, first.shape.with(at, total));
  let start = 0;
  tensors.forEach((x, i) => {
    const block = (parts[i] ?? 0) * inner;
    const to = { stride: total * inner, offset: start };
    copy([x, y], { count: x.size, block, from: { stride: block, offset: 0 }, to });
    start += block;
  });
  return record("concat", y, { inputs: tensors, saved: [], backward: (dy) => split(dy, at, parts) });
}

/**
 * Cuts `x` into parts of the given sizes along `axis` (negative: from the end), the reverse of {@linkcode concat}.
 * @throws {RangeError} if the sizes do not add up to that of the axis
 */
export function split(x: Tensor, axis: number, parts: readonly number[]): Tensor[] {
  requireShape("split", { x }, x.shape);
  const { at, inner } = along("split", x.shape, axis);
  const total = x.shape[at] ?? 0;
  if (parts.reduce((sum, part) => sum + part, 0) !== total || parts.some((part) => part < 0)) {
    throw new RangeError(`Cannot run "split": sizes must add up to ${total}: they are ${show(parts)}`);
  }
  let start = 0;
  const ys = parts.map((part) => {
    const y = empty(x.gpu, x.shape.with(at, part));
    const block = part * inner;
    const from = { stride: total * inner, offset: start };
    start += block;
    copy([x, y], { count: y.size, block, from, to: { stride: block, offset: 0 } });
    return y;
  });
  return recordAll("split", ys, {
    inputs: [x],
    saved: [],
    backward: (dys) => [concat(dys.map((dy, i) => dy ?? full(x.gpu, ys[i]!.shape, 0)), at)],
  });
}
