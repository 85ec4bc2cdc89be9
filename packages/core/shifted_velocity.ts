import { affine, combine, concat, scoped, split, type Tensor } from "@fluxsr/kernels";
import { predictVelocity, type VelocityModel } from "./velocity.ts";

/** Rows and columns by which the grid of tokens, 2 x 2 latents each, is moved, in the order of their use. */
const SHIFTS = [[0, 0], [1, 1], [0, 1], [1, 0]] as const;

/**
 * The mean of the velocities of latents [B, h, w, C] over the first `count` places of the grid of tokens, 1, 2 or 4.
 *
 * What a network gets wrong alike in every token, by the place within it, repeats from token to token and shows as a
 * weave. Over all four places each latent has every place within a token once: the mean of such an error is the same
 * everywhere, and no period of a token is left. A moved grid needs half a token more at both ends: the border again.
 */
export function shiftedVelocity(model: VelocityModel, z: Tensor, count: number): Tensor {
  return scoped(z.gpu, () => {
    const velocities = SHIFTS.slice(0, count).map(([rows, columns]) => {
      const moved = extend(extend(z, 1, rows), 2, columns);
      return trim(trim(predictVelocity(model, moved), 1, rows), 2, columns);
    });
    const sum = velocities.reduce((a, b) => combine(a, b));
    return count === 1 ? sum : affine(sum, { scale: 1 / count });
  });
}

/** `x` with `by` (0 or 1) more at both ends of `axis`, the same as there. */
function extend(x: Tensor, axis: number, by: number): Tensor {
  if (by === 0) return x;
  const length = x.shape[axis] ?? 0;
  const [first, , last] = split(x, axis, [1, length - 2, 1]);
  return concat([first!, x, last!], axis);
}

/** `x` without what {@linkcode extend} added. */
function trim(x: Tensor, axis: number, by: number): Tensor {
  return by === 0 ? x : split(x, axis, [by, (x.shape[axis] ?? 0) - 2 * by, by])[1]!;
}
