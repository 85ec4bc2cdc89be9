import {
  Autoencoder,
  BUNDLED_MODEL,
  checkFit,
  loadModel,
  loadModule,
  Mmdit,
  type Model,
  openAutoencoderFolder,
  parseMmditConfig,
  readConditioning,
  readJson,
} from "@fluxsr/core";
import { type Gpu, tensor } from "@fluxsr/kernels";
import type { FlowConfig } from "../config/flow_config.ts";
import { initialise } from "../init.ts";

/**
 * The model whose transformer is trained, in f32 and without a LoRA: one of a folder, or a new transformer for the
 * autoencoder and text of a folder.
 *
 * @throws {InputError} if a file cannot be used, or the new transformer does not fit the autoencoder
 */
export async function openFlowModel(gpu: Gpu, { architecture, seed, ...config }: FlowConfig): Promise<FlowModel> {
  const { model = BUNDLED_MODEL } = config;
  const opened = architecture === undefined
    ? await loadModel(gpu, model, { lora: false, precision: "f32" })
    : await withNewTransformer(gpu, { model, architecture, seed });
  const { guidance = opened.settings.guidance } = config;
  return { ...opened, settings: { ...opened.settings, guidance } };
}

/** What training a flow takes of a {@linkcode Model}. */
export type FlowModel = Omit<Model, "name" | "blocks" | typeof Symbol.dispose>;

async function withNewTransformer(
  gpu: Gpu,
  { model, architecture, seed }: { model: string; architecture: string; seed: number },
): Promise<FlowModel> {
  using folder = await openAutoencoderFolder(model);
  const { path, vae, settings } = folder;
  const transformer = parseMmditConfig(architecture, await readJson(architecture));
  checkFit(architecture, transformer, vae.config);
  const { txt, txt_shape, y } = await readConditioning(settings.conditioning, transformer);
  const autoencoder = new Autoencoder(vae.config);
  await loadModule(gpu, autoencoder, { source: vae.source, precision: "f32" });
  const mmdit = new Mmdit(transformer);
  await initialise(gpu, mmdit, { seed });
  const conditioning = { txt: tensor(gpu, txt, [1, ...txt_shape]), y: tensor(gpu, y, [1, y.length]) };
  const dispose = () => {
    for (const part of [mmdit, autoencoder, conditioning.txt, conditioning.y]) part.dispose();
  };
  const config = { transformer, vae: vae.config };
  return { gpu, path, settings, notes: [], config, mmdit, autoencoder, conditioning, dispose };
}
