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
 * everywhere, and no period of a token is left. A moved grid begins and ends half a token inside, so that it has nothing
 * by which a network could tell it from another and undo the mean; the outermost latents are those of the first place.
 *
 * @param options.observe is given the transformer's values on the way, for the place `through`, or for the first
 * @param options.through a gradient goes through the velocities of this place alone, as a whole and not as its share: if
 * the place is random, that is the gradient on average (but for the outermost latents), for one backward pass and one set
 * of activations in place of `count`
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
    let first: readonly Tensor[] | undefined;
    let sums: readonly Tensor[] = [];
    let learnt: readonly Tensor[] | undefined;
    for (const [index, shift] of SHIFTS.slice(0, count).entries()) {
      const options = index === (through ?? 0) ? observed : undefined;
      const predict = async () => {
        const moved = latents.map((z) => inner(inner(z, 1, shift[0]), 2, shift[1]));
        return await predictVelocities(model, moved, options);
      };
      const isRecorded = through === undefined || index === through;
      const found = isRecorded ? await predict() : await unrecordedAsync(gpu, predict);
      first ??= found;
      const own = found.map((v, i) => framed(v, { frame: first![i]!, shift }));
      if (index === through) learnt = own;
      sums = own.map((v, i) => sums[i] ? combine(sums[i], v) : v);
    }
    const means = sums.map((sum) => affine(sum, { scale: 1 / count }));
    return learnt?.map((v, i) => add(v, unrecorded(gpu, () => subtract(means[i]!, v)))) ?? means;
  });
}

/** `x` without what a grid of tokens that is moved by `by` (0 or 1) does not reach along `axis`. */
function inner(x: Tensor, axis: number, by: number): Tensor {
  return parts(x, axis, by)?.[1] ?? x;
}

/** The velocities of all of a latent, those of a moved grid with what it does not reach from `frame`. */
function framed(
  moved: Tensor,
  { frame, shift: [rows, columns] }: { frame: Tensor; shift: typeof SHIFTS[number] },
): Tensor {
  const within = (outer: Tensor, middle: Tensor, axis: number, by: number) => {
    const [before, , after] = parts(outer, axis, by) ?? [];
    return before && after ? concat([before, middle, after], axis) : middle;
  };
  return within(frame, within(inner(frame, 1, rows), moved, 2, columns), 1, rows);
}

/** `x` in three along `axis`: a moved grid covers the second. Undefined: it covers all, or is not moved as `x` is a token. */
function parts(x: Tensor, axis: number, by: number): Tensor[] | undefined {
  const length = x.shape[axis] ?? 0;
  return by === 0 || length <= 2 ? undefined : split(x, axis, [1, length - 2, 1]);
}
