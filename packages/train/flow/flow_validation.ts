import { interpolate, predictVelocity, type Rgb8, sample, timeSchedule, velocity } from "@fluxsr/core";
import { add, normalNoise, read, scale, scoped, type Tensor } from "@fluxsr/kernels";
import { toPicture, toTensor } from "../data/pixels.ts";
import { meanSquaredError } from "../losses/reconstruction.ts";
import { randomOf } from "../random.ts";
import type { Validation } from "../stage.ts";
import type { HeldPicture } from "../validation/held_pictures.ts";
import { contactSheet } from "../validation/sheet.ts";
import type { FlowModel } from "./flow_model.ts";

/** Where the loss is taken. */
const TIMES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Columns of the sheet that the transformer makes: Euler steps from a time on. */
const SAMPLERS = [
  { title: "from t = 0.5", start: 0.5, steps: 4 },
  { title: "from noise", start: 1, steps: 16 },
];

/**
 * Judges the flow on `held` pictures, each with the same noise every time: `flow`, the mean loss over times from 0.1 to
 * 0.9, and a sheet of what it makes of the latent half way to noise, and of noise alone.
 */
export async function validateFlow(model: FlowModel, held: readonly HeldPicture[]): Promise<Validation> {
  const losses: Tensor[] = [];
  const rows: Rgb8[][] = [];
  for (const [i, { picture }] of held.entries()) {
    using x = toTensor(model.gpu, picture);
    using z_0 = scoped(model.gpu, () => model.autoencoder.encode([x])[0]!);
    using eps = normalNoise(model.gpu, z_0.shape, { seed: randomOf(0, "validation", i).seed() });
    losses.push(meanLoss(model, { z_0, eps }));
    const row = [picture, await decoded(model, z_0)];
    for (const { start, steps } of SAMPLERS) {
      const times = timeSchedule(steps).map((t) => t * start);
      using from = interpolate(z_0, eps, start);
      using z = await sample(from, (z, t) => predictVelocity(model, z, { timesteps: [t] }), { times });
      row.push(await decoded(model, z));
    }
    rows.push(row);
  }
  const values = await read(...losses);
  for (const each of losses) each.dispose();
  const titles = ["truth", "autoencoder", ...SAMPLERS.map(({ title }) => title)];
  return {
    figures: { flow: values.reduce((sum, [value = NaN]) => sum + value, 0) / values.length },
    sheet: await contactSheet(rows, { titles }),
  };
}

function meanLoss(model: FlowModel, { z_0, eps }: { z_0: Tensor; eps: Tensor }): Tensor {
  return scoped(model.gpu, () => {
    const u = velocity(z_0, eps);
    const losses = TIMES.map((t) =>
      scoped(model.gpu, () => meanSquaredError(predictVelocity(model, interpolate(z_0, eps, t), { timesteps: [t] }), u))
    );
    return scale(losses.reduce((sum, loss) => add(sum, loss)), 1 / TIMES.length);
  });
}

async function decoded({ gpu, autoencoder }: FlowModel, z: Tensor): Promise<Rgb8> {
  using x = scoped(gpu, () => autoencoder.decode([z])[0]!);
  return await toPicture(x);
}
