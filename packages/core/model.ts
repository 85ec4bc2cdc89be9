import { fileURLToPath } from "node:url";
import { type Gpu, type Tensor, tensor } from "@fluxsr/kernels";
import { Autoencoder } from "./autoencoder/autoencoder.ts";
import { attachLora, mergeLora } from "./lora/apply.ts";
import { Mmdit } from "./mmdit/mmdit.ts";
import { loadModule, type Precision } from "./nn/load.ts";
import { openAdapter } from "./weights/adapter_folder.ts";
import type { AutoencoderConfig, MmditConfig } from "./weights/configs.ts";
import { openModelFolder } from "./weights/model_folder.ts";
import type { ModelSettings } from "./weights/model_settings.ts";
import type { WeightSource } from "./weights/weight_source.ts";

/** The folder of the model that comes with the project. */
export const BUNDLED_MODEL: string = fileURLToPath(new URL("../../models/nano", import.meta.url));

/** Weights of more bytes than this stay in the file's dtype unless f32 is asked for. */
const SMALL = 2 ** 30;

/** A loaded one-step upscaler. */
export interface Model extends Disposable {
  readonly name: string;
  /** The model folder, absolute. */
  readonly path: string;
  readonly gpu: Gpu;
  readonly settings: ModelSettings;
  readonly config: { readonly transformer: MmditConfig; readonly vae: AutoencoderConfig };
  readonly mmdit: Mmdit;
  readonly autoencoder: Autoencoder;
  /** The fixed text: `txt` [1, T, context_in_dim], `y` [1, vec_in_dim]. */
  readonly conditioning: { readonly txt: Tensor; readonly y: Tensor };
  /** What the user should know of the adapter, a line each. */
  readonly notes: readonly string[];
  /** Frees all weights. */
  dispose(): void;
}

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** A LoRA file, or an adapter folder with its text and settings, to use instead of the model's own; false: none, the model as it was before it was adapted. */
  readonly lora?: string | false;
  /** How weights are kept: `native` as in the file, `f32`, or `auto`: f32 for small models, else as in the file. */
  readonly precision?: Precision | "auto";
}

/**
 * Loads a model folder onto the GPU with its LoRA, which is merged into f32 weights and applied on the fly otherwise.
 *
 * @throws {InputError} if the folder, a weight file or the LoRA cannot be used
 */
export async function loadModel(
  gpu: Gpu,
  directory: string,
  { lora, precision = "auto" }: LoadOptions = {},
): Promise<Model> {
  using folder = await openModelFolder(directory);
  const { transformer, vae, settings } = folder;
  const chosen = precision !== "auto" ? precision : weightBytes(transformer.source) <= SMALL ? "f32" : "native";
  const loraPath = lora === false ? undefined : lora ?? settings.lora;
  const mmdit = new Mmdit(transformer.config);
  const autoencoder = new Autoencoder(vae.config);
  try {
    await loadModule(gpu, autoencoder, { source: vae.source, precision: "f32" });
    await loadModule(gpu, mmdit, { source: transformer.source, precision: chosen });
    const adapter = loraPath === undefined ? undefined : await openAdapter(loraPath, transformer.config);
    if (adapter) attachLora(gpu, mmdit, adapter.adapters);
    if (chosen === "f32") mergeLora(mmdit);
    const { txt, txt_shape, y } = adapter?.conditioning ?? await folder.conditioning();
    const conditioning = { txt: tensor(gpu, txt, [1, ...txt_shape]), y: tensor(gpu, y, [1, y.length]) };
    await gpu.sync();
    gpu.trim();
    const dispose = () => {
      for (const part of [mmdit, autoencoder, conditioning.txt, conditioning.y]) part.dispose();
    };
    return {
      name: settings.name ?? folder.path.split("/").at(-1) ?? folder.path,
      path: folder.path,
      gpu,
      settings: { ...settings, ...adapter?.settings },
      notes: adapter?.notes ?? [],
      config: { transformer: transformer.config, vae: vae.config },
      mmdit,
      autoencoder,
      conditioning,
      dispose,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    mmdit.dispose();
    autoencoder.dispose();
    throw error;
  }
}

/** Bytes of all tensors if they were f32. */
function weightBytes(source: WeightSource): number {
  return [...source.tensors.values()].reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
}
