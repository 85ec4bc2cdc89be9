import { affine, combine, concat, scoped, scopedAsync, split, type Tensor } from "@fluxsr/kernels";
import type { Model } from "./model.ts";
import type { Observer } from "./mmdit/mmdit.ts";
import { notch } from "./notch.ts";
import { predictVelocities, type VelocityModel } from "./velocity.ts";

/** Rows and columns by which the grid of tokens, 2 x 2 latents each, is moved, in the order of their use. */
const SHIFTS = [[0, 0], [1, 1], [0, 1], [1, 0]] as const;

/**
 * Of each latent [1, h, w, C] the velocity of the one step at `T_L`: the mean over the first `token_shifts` places of the
 * grid of tokens, 1, 2 or 4, {@linkcode notch}ed if the model's settings say so.
 *
 * What a network gets wrong alike in every token, by the place within it, repeats from token to token and shows as a
 * weave. Over all four places each latent has every place within a token once: the mean of such an error is the same
 * everywhere, and no period of a token is left. A moved grid begins and ends half a token inside, where the outermost
 * latents are those of the first place. If it began outside, with latents that are there twice, a network could tell by
 * them which grid it sees, and learn to undo the mean.
 *
 * @param options.observe is given the transformer's values on the way, for the grid where it is
 */
export async function stepVelocities(
  model: VelocityModel & Pick<Model, "gpu" | "blocks" | "settings">,
  latents: readonly Tensor[],
  { observe }: { observe?: Observer } = {},
): Promise<readonly Tensor[]> {
  const { gpu, settings } = model;
  return await scopedAsync(gpu, async () => {
    const velocities = await meanOverShifts(model, latents, { count: settings.token_shifts, observe });
    return settings.notch ? velocities.map(notch) : velocities;
  });
}

async function meanOverShifts(
  model: VelocityModel & Pick<Model, "gpu" | "blocks">,
  latents: readonly Tensor[],
  { count, observe }: { count: number; observe: Observer | undefined },
): Promise<readonly Tensor[]> {
  const unmoved = observe && { observe };
  if (count === 1) return await predictVelocities(model, latents, unmoved);
  return await scopedAsync(model.gpu, async () => {
    let first: readonly Tensor[] | undefined;
    let sums: readonly Tensor[] = [];
    for (const shift of SHIFTS.slice(0, count)) {
      const moved = latents.map((z) => inner(inner(z, 1, shift[0]), 2, shift[1]));
      const velocities = await predictVelocities(model, moved, first ? {} : unmoved);
      first ??= velocities;
      sums = velocities.map((v, i) =>
        scoped(model.gpu, () => {
          const own = framed(v, { frame: first![i]!, shift });
          return sums[i] ? combine(sums[i], own) : own;
        })
      );
    }
    return sums.map((sum) => affine(sum, { scale: 1 / count }));
  });
}

/** `x` without what a grid of tokens that is moved by `by` (0 or 1) does not reach along `axis`. */
function inner(x: Tensor, axis: number, by: number): Tensor {
  return sections(x, axis, by)?.[1] ?? x;
}

/** The velocities of all of a latent, those of a moved grid with what it does not reach from `frame`. */
function framed(
  moved: Tensor,
  { frame, shift: [rows, columns] }: { frame: Tensor; shift: typeof SHIFTS[number] },
): Tensor {
  const within = (outer: Tensor, middle: Tensor, axis: number, by: number) => {
    const [before, , after] = sections(outer, axis, by) ?? [];
    return before && after ? concat([before, middle, after], axis) : middle;
  };
  return within(frame, within(inner(frame, 1, rows), moved, 2, columns), 1, rows);
}

/** `x` in three along `axis`: a moved grid covers the second. Undefined: it covers all, or is not moved as `x` is a token. */
function sections(x: Tensor, axis: number, by: number): Tensor[] | undefined {
  const length = x.shape[axis] ?? 0;
  return by === 0 || length <= 2 ? undefined : split(x, axis, [1, length - 2, 1]);
}
