import { velocity } from "@fluxsr/core";
import { combine, scoped, type Tensor } from "@fluxsr/kernels";
import { meanSquaredError } from "./reconstruction.ts";

/**
 * The FTD loss, Eq. 17: `mean(((u - T_L v_theta(x_t, t)) - (eps - z_L))^2)` with `u = eps - z_0`.
 *
 * @param v the student's velocity at a point of the low-resolution trajectory (Eq. 16)
 * @param pair the teacher's noise `eps` and latent `z_0`, and the low-resolution latent `z_L`, all of v's shape
 * @returns the loss [1]
 */
export function ftdLoss(
  v: Tensor,
  { eps, z_0, z_L, T_L }: { eps: Tensor; z_0: Tensor; z_L: Tensor; T_L: number },
): Tensor {
  return scoped(v.gpu, () => {
    const student = combine(velocity(z_0, eps), v, { beta: -T_L });
    return meanSquaredError(student, velocity(z_L, eps));
  });
}
