import { velocity } from "@fluxsr/core";
import { add, full, gradients, scale, scopedAsync, Tape, type Tensor, totalVariation } from "@fluxsr/kernels";
import { type FtdBatch, ftdGroups, meanSquaredError } from "@fluxsr/train";
import { channelsFirst } from "./autoencoder_network.ts";
import type { GoldenCase, Tensors, Values } from "./case.ts";
import type { StepNetworks } from "./ftd_networks.ts";
import { Recorder } from "./recorder.ts";

/** Our intermediate values by the names that they have in a case. */
const NAMES: Readonly<Record<string, string>> = {
  x_t: "x_t",
  v_t: "v_t",
  v_TL: "v_TL",
  z_0hat: "z0hat",
  x_0hat: "x0hat",
};

/** What a case lists of its first step: values on the way, the losses' parts, and the gradients of z0hat and x0hat. */
export async function intermediates(
  golden: GoldenCase,
  { loaded, batch }: { loaded: StepNetworks; batch: FtdBatch },
): Promise<Tensors> {
  const { gpu, networks, lpips } = loaded;
  const { x_0, z_0, z_L, eps } = batch;
  const { config } = golden;
  const weights = { ftd: 1, mse: 1, latent_mse: 0, tv_lpips: config.number("lambda"), adl: config.number("mu") };
  using recorder = new Recorder();
  await scopedAsync(gpu, async () => {
    const seen = new Map<string, Tensor>();
    const groups = ftdGroups(networks, weights, (name, value) => {
      seen.set(name, value.retain());
      recorder.observe(NAMES[name] ?? name, value);
    });
    for (const { loss } of groups) await loss(batch);
    recorder.observe("z0", z_0);
    recorder.observe("zL", z_L);
    recorder.observe("u", velocity(z_0, eps));
    const [z_0hat, x_0hat] = [seen.get("z_0hat")!, seen.get("x_0hat")!];
    const picture = {
      mse: () => meanSquaredError(x_0hat, x_0),
      lpips: () => lpips.forward(x_0hat, x_0),
      tv_lpips: () => lpips.forward(totalVariation(x_0hat), totalVariation(x_0)),
    };
    const seed = full(gpu, [1], 1);
    const gradient = (x: Tensor, loss: () => Tensor) => {
      using tape = new Tape(gpu);
      tape.watch(x);
      return gradients(tape, loss(), { seed, wanted: [x] })[0]!;
    };
    for (const [name, loss] of Object.entries(picture)) recorder.observe(`grad.x0hat.${name}`, gradient(x_0hat, loss));
    recorder.observe(
      "grad.z0hat.total",
      gradient(z_0hat, () => {
        const decoded = networks.decode(z_0hat);
        return add(meanSquaredError(decoded, x_0), scale(networks.tvLpips!(decoded, x_0), weights.tv_lpips));
      }),
    );
    for (const value of seen.values()) value.release();
  });
  const found = await recorder.read();
  const layers = config.texts("adl_layers").map((name) => found.get(`adl.${name}`)?.values[0] ?? NaN);
  const pictures = [...found].filter(([, { shape }]) => shape.length === 4);
  return new Map<string, Values>([
    ...pictures.map(([name, values]) => [name, channelsFirst(values)] as const),
    ["adl_layers", { shape: [layers.length], values: Float32Array.from(layers) }],
  ]);
}
