import { type Model, oneStep, predictVelocity } from "@fluxsr/core";
import type { Tensor } from "@fluxsr/kernels";

/**
 * Restores the enlarged picture x [1, h, w, 3] in [-1, 1] in one step (Eq. 18), in one tile and without all that a model's
 * settings add: what PyTorch's reference computes. `seen` is given z_L, v, z_0hat and x_0hat, in this order.
 */
export async function restoredByStages(
  model: Model,
  x: Tensor,
  seen: (name: string, value: Tensor) => void | Promise<void>,
): Promise<void> {
  const { autoencoder, settings: { T_L } } = model;
  using z_L = autoencoder.encode([x])[0]!;
  await seen("z_L", z_L);
  using v = predictVelocity(model, z_L);
  await seen("v", v);
  using z_0hat = oneStep(z_L, v, T_L);
  await seen("z_0hat", z_0hat);
  using x_0hat = autoencoder.decode([z_0hat])[0]!;
  await seen("x_0hat", x_0hat);
}
