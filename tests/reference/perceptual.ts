import { elementAt, indexOf } from "./layout.ts";

type Values = ArrayLike<number>;

/** `|x[i + 1, j] - x[i, j]| + |x[i, j + 1] - x[i, j]|` of [B, h, w, C], without the differences beyond the edges. */
export function totalVariation(x: Values, shape: readonly number[]): number[] {
  return Array.from({ length: x.length }, (_, i) => {
    const index = indexOf(i, shape);
    const distance = (axis: number) => {
      const next = index.with(axis, index[axis]! + 1);
      return next[axis]! < shape[axis]! ? Math.abs(x[elementAt(next, shape)]! - x[i]!) : 0;
    };
    return distance(1) + distance(2);
  });
}

/** `f, g [B, h, w, C], weight [C] -> [B]`: the weighted squared distance of unit vectors, the mean over positions. */
export function featureDistance(
  [f, g, weight]: readonly [Values, Values, Values],
  [batches, height, width, channels]: readonly number[],
): number[] {
  const positions = height! * width!;
  const unit = (values: Values, position: number) => {
    const row = Array.from({ length: channels! }, (_, c) => values[position * channels! + c]!);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    return row.map((value) => value / (length + 1e-10));
  };
  const result = Array<number>(batches!).fill(0);
  for (let position = 0; position < batches! * positions; position++) {
    const [u, v] = [unit(f, position), unit(g, position)];
    for (let c = 0; c < channels!; c++) {
      result[Math.floor(position / positions)]! += weight[c]! * (u[c]! - v[c]!) ** 2 / positions;
    }
  }
  return result;
}
