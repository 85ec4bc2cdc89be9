import {
  attachedLora,
  attachLora,
  type Autoencoder,
  type Lpips,
  openWeights,
  predictVelocity,
  readLora,
} from "@fluxsr/core";
import { type Gpu, type Tensor, tensor } from "@fluxsr/kernels";
import { type FtdNetworks, tvLpipsLoss } from "@fluxsr/train";
import { loadAutoencoder } from "./autoencoder_network.ts";
import { type GoldenCase, readCase, type Tensors } from "./case.ts";
import { loadFormulaLpips } from "./lpips.ts";
import { loadMmdit, mmditConfig } from "./mmdit_network.ts";

/** The networks of a case of kind `ftd-step`, with the adapters that it starts from. */
export interface StepNetworks extends Disposable {
  readonly gpu: Gpu;
  readonly autoencoder: Autoencoder;
  readonly lpips: Lpips;
  readonly networks: FtdNetworks;
  /** The adapters' tensors, by the names that they have in the case's files. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Loads the networks of a case; `io` has its text. */
export async function loadStepNetworks(golden: GoldenCase, gpu: Gpu, io: Tensors): Promise<StepNetworks> {
  const { config } = golden;
  const base = await readCase(golden.path(config.text("mmdit_case")));
  const sizes = mmditConfig(golden, config.object("mmdit_config"));
  const { mmdit, ...transformer } = await loadMmdit(gpu, base.path("weights.safetensors"), sizes);
  const vae = await readCase(golden.path(config.text("vae_case")));
  const { autoencoder, ...decoder } = await loadAutoencoder(vae, gpu, vae.path("weights.safetensors"));
  const lpips = await loadFormulaLpips(gpu, config.object("lpips_weights").objects("order_and_seeds"));

  using file = await openWeights(golden.path("lora.step0.safetensors"));
  const scale = config.object("lora").number("scale");
  const { adapters } = await readLora(file, sizes);
  attachLora(gpu, mmdit, new Map([...adapters].map(([name, adapter]) => [name, { ...adapter, scale }])));

  const given = (name: string) => {
    const { values, shape } = io.get(name)!;
    return tensor(gpu, values, shape);
  };
  const conditioning = { txt: given("txt"), y: given("y") };
  const T_L = config.number("T_L");
  const settings = { T_L, guidance: config.has("guidance") ? config.number("guidance") : 1 };
  const model = { mmdit, config: { transformer: sizes }, settings, conditioning };
  const gamma = config.number("gamma");
  return {
    gpu,
    autoencoder,
    lpips,
    networks: {
      velocity: (z, options) => predictVelocity(model, z, options),
      stepVelocity: (z_L, options) => predictVelocity(model, z_L, options),
      decode: (z) => autoencoder.decode([z])[0]!,
      tvLpips: (x_0hat, x_0) => tvLpipsLoss(x_0hat, x_0, { lpips, gamma }),
      T_L,
      factor: autoencoder.factor,
      textTokens: conditioning.txt.shape[1] ?? 0,
    },
    weights: new Map(
      [...attachedLora(mmdit)].flatMap(([name, { a, b }]) => [
        [`${name}.lora_A.weight`, a],
        [`${name}.lora_B.weight`, b],
      ]),
    ),
    [Symbol.dispose]: () => {
      for (const each of [transformer, decoder]) each[Symbol.dispose]();
      for (const each of [lpips, conditioning.txt, conditioning.y]) each.dispose();
    },
  };
}
