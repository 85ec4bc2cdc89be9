import {
  add,
  affine,
  combine,
  concat,
  scopedAsync,
  split,
  subtract,
  type Tensor,
  unrecorded,
  unrecordedAsync,
} from "@fluxsr/kernels";
import type { Model } from "./model.ts";
import type { Observer } from "./mmdit/mmdit.ts";
import { predictVelocities, type VelocityModel } from "./velocity.ts";

/** Rows and columns by which the grid of tokens, 2 x 2 latents each, is moved, in the order of their use. */
const SHIFTS = [[0, 0], [1, 1], [0, 1], [1, 0]] as const;

/**
 * Of each latent [1, h, w, C] the mean of the velocities at `T_L` over the first `count` places of the grid of tokens, 1, 2
 * or 4.
 *
 * What a network gets wrong alike in every token, by the place within it, repeats from token to token and shows as a
 * weave. Over all four places each latent has every place within a token once: the mean of such an error is the same
 * everywhere, and no period of a token is left. A moved grid needs half a token more at both ends: the border again.
 *
 * @param options.observe is given the transformer's values on the way, for the place `through`, or for the first
 * @param options.through a gradient goes through the velocities of this place alone, as a whole and not as its share: if
 * the place is random, that is the gradient on average, for one backward pass and one set of activations in place of
 * `count`
 */
export async function shiftedVelocities(
  model: VelocityModel & Pick<Model, "gpu" | "blocks">,
  latents: readonly Tensor[],
  { count, observe, through }: { count: number; observe?: Observer; through?: number | undefined },
): Promise<readonly Tensor[]> {
  const observed = observe && { observe };
  if (count === 1) return await predictVelocities(model, latents, observed);
  const { gpu } = model;
  return await scopedAsync(gpu, async () => {
    let sums: readonly Tensor[] = [];
    let learnt: readonly Tensor[] | undefined;
    for (const [index, shift] of SHIFTS.slice(0, count).entries()) {
      const predict = () => velocitiesAt(model, latents, shift, index === (through ?? 0) ? observed : undefined);
      const isRecorded = through === undefined || index === through;
      const own = isRecorded ? await predict() : await unrecordedAsync(gpu, predict);
      if (index === through) learnt = own;
      sums = own.map((v, i) => sums[i] ? combine(sums[i], v) : v);
    }
    const means = sums.map((sum) => affine(sum, { scale: 1 / count }));
    return learnt?.map((v, i) => add(v, unrecorded(gpu, () => subtract(means[i]!, v)))) ?? means;
  });
}

/** The velocities with the grid of tokens moved by `shift`. */
async function velocitiesAt(
  model: Parameters<typeof shiftedVelocities>[0],
  latents: readonly Tensor[],
  [rows, columns]: typeof SHIFTS[number],
  options: { observe: Observer } | undefined,
): Promise<readonly Tensor[]> {
  return await scopedAsync(model.gpu, async () => {
    const moved = latents.map((z) => extend(extend(z, 1, rows), 2, columns));
    const velocities = await predictVelocities(model, moved, options);
    return velocities.map((v) => trim(trim(v, 1, rows), 2, columns));
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
