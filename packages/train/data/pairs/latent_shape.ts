import { InputError, type Model } from "@fluxsr/core";
import type { Pairs } from "./pairs.ts";

/** Height, width and channels of the latent that `model` makes of a picture with sides of `size` pixels. */
export function latentShape({ autoencoder, config }: Model, size: number): [number, number, number] {
  const side = size / autoencoder.factor;
  return [side, side, config.vae.z_channels];
}

/**
 * That `model` can be trained on `pairs`, whoever made them.
 * @throws {InputError} if its latents have another shape
 */
export function checkLatents({ dir, size, settings: { latent } }: Pairs, model: Model): void {
  const wanted = latentShape(model, size);
  if (wanted.every((length, axis) => length === latent[axis])) return;
  throw new InputError(
    `Cannot train on pairs "${dir}": latents of ${size} x ${size} pixels must have the model's shape, ` +
      `[${wanted.join(", ")}]: theirs is [${latent.join(", ")}]`,
    { hint: "make pairs with this model" },
  );
}
