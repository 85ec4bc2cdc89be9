type Shape = readonly number[];
type Values = ArrayLike<number>;

/** The multi-index of element `i`. */
export function indexOf(i: number, shape: Shape): number[] {
  const index: number[] = [];
  for (const size of shape.toReversed()) {
    index.unshift(i % size);
    i = Math.floor(i / size);
  }
  return index;
}

/** The element number of a multi-index. */
export function elementAt(index: Shape, shape: Shape): number {
  return index.reduce((at, value, axis) => at * shape[axis]! + value, 0);
}

function count(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The part of `x` whose index along `axis` is in [start, start + size). */
export function slice(
  x: Values,
  { shape, axis, start, size }: { shape: Shape; axis: number; start: number; size: number },
): number[] {
  const cut = shape.with(axis, size);
  return Array.from({ length: count(cut) }, (_, i) => {
    const index = indexOf(i, cut);
    index[axis]! += start;
    return x[elementAt(index, shape)]!;
  });
}

/** Axis i of the result is axis `axes[i]` of x. */
export function permute(x: Values, { shape, axes }: { shape: Shape; axes: Shape }): number[] {
  const permuted = axes.map((axis) => shape[axis]!);
  return Array.from({ length: x.length }, (_, i) => {
    const index = indexOf(i, permuted);
    return x[elementAt(shape.map((_, axis) => index[axes.indexOf(axis)]!), shape)]!;
  });
}

/** Nearest-neighbour upsampling of [B, h, w, C] by two. */
export function upsampleNearest(x: Values, [batches, height, width, channels]: readonly number[]): number[] {
  const big = [batches!, 2 * height!, 2 * width!, channels!];
  return Array.from({ length: count(big) }, (_, i) => {
    const [batch, row, column, channel] = indexOf(i, big) as [number, number, number, number];
    const index = [batch, Math.floor(row / 2), Math.floor(column / 2), channel];
    return x[elementAt(index, [batches!, height!, width!, channels!])]!;
  });
}

/** The largest of every 2x2 pixels of [B, h, w, C]; an odd last row or column is left out. */
export function maxPool(x: Values, [batches, height, width, channels]: readonly number[]): number[] {
  const small = [batches!, Math.floor(height! / 2), Math.floor(width! / 2), channels!];
  return Array.from({ length: count(small) }, (_, i) => {
    const [batch, row, column, channel] = indexOf(i, small) as [number, number, number, number];
    const window = [0, 1, 2, 3].map((k) => [batch, 2 * row + (k >> 1), 2 * column + (k & 1), channel]);
    return Math.max(...window.map((index) => x[elementAt(index, [batches!, height!, width!, channels!])]!));
  });
}
