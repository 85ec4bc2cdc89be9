import type { Model } from "./model.ts";

/** Picture sizes must be multiples of this: one token covers 2x2 latent pixels. */
export function granularity(model: Model): number {
  return 2 * model.autoencoder.factor;
}
