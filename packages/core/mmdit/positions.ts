import { type Gpu, type Tensor, tensor } from "@fluxsr/kernels";

/** Cosines and sines of the RoPE angles, each [B or 1, L, head size / 2]. */
export interface Positions {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/**
 * RoPE tables for position ids [B, L, axes]: `angle = id / theta^(2 j / d)` for j = 0..d/2-1 of each axis in turn.
 *
 * Angles reach thousands of radians, so they are computed on the host in f64.
 */
export function ropeTables(
  ids: Float32Array,
  { batch, axes_dim, theta }: { batch: number; axes_dim: readonly number[]; theta: number },
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer>; shape: [number, number, number] } {
  const frequencies = axes_dim.map((d) => Array.from({ length: d / 2 }, (_, j) => theta ** (-2 * j / d)));
  const half = axes_dim.reduce((sum, d) => sum + d / 2, 0);
  const tokens = ids.length / axes_dim.length;
  const cos = new Float32Array(tokens * half);
  const sin = new Float32Array(tokens * half);
  for (let token = 0, at = 0; token < tokens; token++) {
    frequencies.forEach((axis, a) => {
      const id = ids[token * axes_dim.length + a] ?? 0;
      for (const frequency of axis) {
        cos[at] = Math.cos(id * frequency);
        sin[at++] = Math.sin(id * frequency);
      }
    });
  }
  return { cos, sin, shape: [batch, tokens / batch, half] };
}

/** What was uploaded last, and for what: tiles of a picture have the same. */
let last:
  | { readonly key: string; readonly ids: Float32Array; readonly tables: ReturnType<typeof ropeTables> }
  | undefined;

/** Uploads {@linkcode ropeTables}. */
export function positions(
  gpu: Gpu,
  ids: Float32Array,
  options: { batch: number; axes_dim: readonly number[]; theta: number },
): Positions {
  const key = JSON.stringify(options);
  const isLast = last?.key === key && last.ids.length === ids.length && last.ids.every((id, i) => id === ids[i]);
  if (!last || !isLast) last = { key, ids: ids.slice(), tables: ropeTables(ids, options) };
  const { cos, sin, shape } = last.tables;
  return { cos: tensor(gpu, cos, shape), sin: tensor(gpu, sin, shape) };
}

/** FLUX's ids of a text of `tokens` (zeros) followed by a `rows` x `columns` grid of picture tokens (0, row, column). */
export function gridIds({ tokens, rows, columns }: { tokens: number; rows: number; columns: number }): Float32Array {
  const ids = new Float32Array((tokens + rows * columns) * 3);
  for (let row = 0, at = tokens * 3; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += 3) {
      ids[at + 1] = row;
      ids[at + 2] = column;
    }
  }
  return ids;
}
