import { concat, scoped, scopedAsync, type Tensor } from "@fluxsr/kernels";
import type { MmditInputs, Observer } from "./mmdit/mmdit.ts";
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

/** Options of {@linkcode predictVelocities}. */
export interface VelocitiesOptions extends VelocityOptions {
  /** The text of each latent, or of each sample of it; default the model's own. */
  readonly conditionings?: readonly Model["conditioning"][];
  /** Ends the work before the next block, with its reason, where some are loaded in their turn. */
  readonly signal?: AbortSignal | undefined;
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
export function predictVelocity(model: VelocityModel, z: Tensor, options: VelocityOptions = {}): Tensor {
  return scoped(z.gpu, () => unpack(model.mmdit.forward(inputsOf(model, z, options), options.observe), sizeOf(z)));
}

/**
 * The velocities of several latents, of any sizes, each as of {@linkcode predictVelocity}. Blocks that are not on the GPU
 * are loaded when their turn comes, once for all latents: the host reads the next one while the GPU computes this one. A
 * tape that is open must recompute, or it keeps their weights.
 */
export async function predictVelocities(
  model: VelocityModel & Pick<Model, "gpu" | "blocks">,
  latents: readonly Tensor[],
  { conditionings = [], signal, ...options }: VelocitiesOptions = {},
): Promise<readonly Tensor[]> {
  const { gpu, blocks, mmdit } = model;
  const toldOf = (i: number): VelocityModel => ({ ...model, conditioning: conditionings[i] ?? model.conditioning });
  if (blocks.isWhole) return latents.map((z, i) => predictVelocity(toldOf(i), z, options));
  return await scopedAsync(gpu, async () => {
    const passes = latents.map((z, i) => mmdit.steps(inputsOf(toldOf(i), z, options), options.observe));
    const velocities = await blocks.run(passes, { signal });
    return velocities.map((v, i) => unpack(v, sizeOf(latents[i]!)));
  });
}

function inputsOf(
  { config, settings, conditioning }: VelocityModel,
  z: Tensor,
  { timesteps = [settings.T_L], guidance = settings.guidance }: VelocityOptions,
): MmditInputs {
  const [batch = 0] = z.shape;
  const { height, width } = sizeOf(z);
  const { axes_dim, theta } = config.transformer;
  const times = Array.from({ length: batch }, (_, i) => timesteps[i] ?? timesteps[0] ?? settings.T_L);
  const forEach = (x: Tensor) => x.shape[0] === batch ? x : concat(times.map(() => x), 0);
  const txt = forEach(conditioning.txt);
  const ids = gridIds({ tokens: txt.shape[1] ?? 0, rows: height / 2, columns: width / 2 });
  const pe = positions(z.gpu, ids, { batch: 1, axes_dim, theta });
  const y = forEach(conditioning.y);
  return { img: pack(z), txt, y, pe, timesteps: times, guidance: times.map(() => guidance) };
}

function sizeOf({ shape: [, height = 0, width = 0] }: Tensor): { height: number; width: number } {
  return { height, width };
}
