import { concat, scoped, type Tensor } from "@fluxsr/kernels";
import type { Observer } from "./mmdit/mmdit.ts";
import { gridIds, positions } from "./mmdit/positions.ts";
import { pack, unpack } from "./mmdit/tokens.ts";
import type { Model } from "./model.ts";

/** Options of {@linkcode predictVelocity}. */
export interface VelocityOptions {
  /** A time in [0, 1] for each latent; one for all if there is one, and none: the model's T_L. */
  readonly timesteps?: readonly number[];
  /** Guidance fed to a model with `guidance_embed`; default the model's own. */
  readonly guidance?: number | undefined;
  /** Is given the transformer's values on the way. */
  readonly observe?: Observer;
}

/** What of a model its velocity needs. */
export interface VelocityModel extends Pick<Model, "mmdit" | "conditioning"> {
  readonly config: Pick<Model["config"], "transformer">;
  readonly settings: Pick<Model["settings"], "T_L" | "guidance">;
}

/**
 * The velocity `v_theta(z, t)` of latents [B, h, w, z_channels] with even sides, of the same shape, under the model's
 * fixed text: the same for all of them, or one for each. Position ids count from the latent's own corner.
 */
export function predictVelocity(
  { mmdit, config, settings, conditioning }: VelocityModel,
  z: Tensor,
  { timesteps = [settings.T_L], guidance = settings.guidance, observe }: VelocityOptions = {},
): Tensor {
  const [batch = 0, height = 0, width = 0] = z.shape;
  const { axes_dim, theta } = config.transformer;
  const times = Array.from({ length: batch }, (_, i) => timesteps[i] ?? timesteps[0] ?? settings.T_L);
  const forEach = (x: Tensor) => x.shape[0] === batch ? x : concat(times.map(() => x), 0);
  return scoped(z.gpu, () => {
    const txt = forEach(conditioning.txt);
    const ids = gridIds({ tokens: txt.shape[1] ?? 0, rows: height / 2, columns: width / 2 });
    const pe = positions(z.gpu, ids, { batch: 1, axes_dim, theta });
    const inputs = { img: pack(z), txt, y: forEach(conditioning.y), pe, timesteps: times };
    const v = mmdit.forward({ ...inputs, guidance: times.map(() => guidance) }, observe);
    return unpack(v, { height, width });
  });
}
