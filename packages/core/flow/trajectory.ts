import { combine, subtract, type Tensor } from "@fluxsr/kernels";

/** A point on the flow from data to noise, Eq. 7: `x_t = (1 - t) x_0 + t eps`. */
export function interpolate(x_0: Tensor, eps: Tensor, t: number): Tensor {
  return combine(x_0, eps, { alpha: 1 - t, beta: t });
}

/** The velocity of that flow, Eq. 8-9: `u = eps - x_0`. */
export function velocity(x_0: Tensor, eps: Tensor): Tensor {
  return subtract(eps, x_0);
}

/**
 * A point on the trajectory of the low-resolution latent, which lives at `T_L`, Eq. 16:
 * `x_t = (1 - t)/(1 - T_L) z_L + (t - T_L)/(1 - T_L) eps`, for t in [T_L, 1].
 */
export function lowResolutionPoint(z_L: Tensor, eps: Tensor, { t, T_L }: { t: number; T_L: number }): Tensor {
  return combine(z_L, eps, { alpha: (1 - t) / (1 - T_L), beta: (t - T_L) / (1 - T_L) });
}

/** The one step, Eq. 18: `z_0hat = z_L - T_L v_theta(z_L, T_L)`. */
export function oneStep(z_L: Tensor, v: Tensor, T_L: number): Tensor {
  return combine(z_L, v, { beta: -T_L });
}
