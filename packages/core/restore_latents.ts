import { affine, normalNoise, OutOfMemoryError, type Rectangle, scoped, sizeOf, type Tensor } from "@fluxsr/kernels";
import { oneStep } from "./flow/trajectory.ts";
import { makeRoom } from "./memory/make_room.ts";
import { recover } from "./memory/recover.ts";
import type { Model } from "./model.ts";
import type { StageClock } from "./stage_clock.ts";
import { stepVelocities } from "./step_velocities.ts";
import type { TileProgress } from "./tile_progress.ts";
import type { Place, Sharing } from "./tiling.ts";

/** Tiles that pass a transformer together whose blocks are loaded for each pass. */
const TOGETHER = 8;

/** The latents of a tile: what the one step makes, and that of the enlarged picture if the model's `residual` needs it. */
export interface TileLatents extends Disposable {
  readonly z_0hat: Tensor;
  readonly z_L: Tensor | undefined;
}

/** The latents of every tile: all are encoded, then one transformer call each. */
export async function restoreLatents(
  model: Model,
  { sharing: { groups, keep }, enlarge, seed, strength, clock, progress }: {
    sharing: Sharing;
    enlarge: (window: Rectangle) => Promise<Tensor>;
    seed: number | undefined;
    strength: number;
    clock: StageClock;
    progress: TileProgress;
  },
): Promise<TileLatents[]> {
  const { gpu, autoencoder, settings: { residual } } = model;
  const latents: Tensor[] = [];
  for (const group of groups) {
    const enlarged: Tensor[] = [];
    for (const { window } of group) {
      using x = await enlarge(window);
      enlarged.push(affine(x, { scale: 2, offset: -1 }));
    }
    const encoded = await clock.measure("encode", () =>
      scoped(gpu, () => {
        const noise = seed === undefined ? undefined : group.map((place) => noiseOf(model, { seed, place }));
        return autoencoder.encode(enlarged, { noise, keep });
      }));
    for (const x of enlarged) x.dispose();
    await progress.step(group.length, gpu);
    latents.push(...encoded);
  }
  await makeRoom(gpu);
  const restored: Tensor[] = [];
  for (let at = 0, together = model.blocks.isWhole ? 1 : TOGETHER; at < latents.length;) {
    const some = latents.slice(at, at + together);
    try {
      restored.push(...await clock.measure("transformer", () => stepAll(model, some, strength)));
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || some.length === 1) throw error;
      together = Math.ceil(some.length / 2); // fewer have room
      await recover(gpu);
      continue;
    }
    if (!residual) { for (const z_L of some) z_L.dispose(); }
    at += some.length;
    await progress.step(some.length, gpu);
  }
  return restored.map((z_0hat, i) => {
    const z_L = residual ? latents[i] : undefined;
    const dispose = () => {
      z_0hat.dispose();
      z_L?.dispose();
    };
    return { z_0hat, z_L, [Symbol.dispose]: dispose };
  });
}

/** The share `strength` of the one step, Eq. 18, for each of the latents: `z_L - strength T_L v_theta(z_L, T_L)`. */
async function stepAll(model: Model, latents: readonly Tensor[], strength: number): Promise<Tensor[]> {
  const velocities = await stepVelocities(model, latents);
  return velocities.map((v, i) => {
    const z_0hat = oneStep(latents[i]!, v, strength * model.settings.T_L);
    v.dispose();
    return z_0hat;
  });
}

/** Noise for the latent of one tile; tiles take disjoint parts of the sequence. */
function noiseOf(
  { gpu, autoencoder: { factor }, config }: Model,
  { seed, place }: { seed: number; place: Place },
): Tensor {
  const { window: { height, width }, index } = place;
  const shape = [1, height / factor, width / factor, config.vae.z_channels];
  return normalNoise(gpu, shape, { seed, offset: index * sizeOf(shape) });
}
