import { fileURLToPath } from "node:url";
import { type Gpu, sizeOf, type Tensor, tensor } from "@fluxsr/kernels";
import { Autoencoder } from "./autoencoder/autoencoder.ts";
import { BlockStream } from "./memory/block_stream.ts";
import { AdaptedLoader } from "./lora/adapted_loader.ts";
import { Mmdit } from "./mmdit/mmdit.ts";
import { loadModule } from "./nn/load.ts";
import type { Precision } from "./nn/upload.ts";
import { type AdapterFolder, openAdapter } from "./lora/adapter_folder.ts";
import type { AutoencoderConfig, MmditConfig } from "./model_folder/configs.ts";
import { type ModelFolder, openModelFolder } from "./model_folder/model_folder.ts";
import type { ModelSettings } from "./model_folder/model_settings.ts";
import { storedBytes, type WeightSource } from "./weights/weight_source.ts";

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
  /** The transformer's blocks. Where some are loaded in their turn, only `predictVelocities` can run. */
  readonly blocks: BlockStream;
  /** What the user should know of the model and the adapter, a line each. */
  readonly notes: readonly string[];
  /** Frees all weights. */
  dispose(): void;
}

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** A LoRA file, or an adapter folder with its text and settings, or one that is open, to use instead of the model's own; false: none, the model as it was before it was adapted. */
  readonly lora?: string | AdapterFolder | false | undefined;
  /** How weights are kept: `native` as in the file, `f32`, or `auto`: f32 for small models, else as in the file. */
  readonly precision?: Precision | "auto";
  /** Only ever one step at `T_L` under the model's own text: what depends on these alone is computed while loading, and its weights are not kept. */
  readonly fold?: boolean;
  /** How many blocks of the transformer, of all from the first on, stay on the GPU; the others are loaded each time that they are needed. Default: all. */
  readonly residentBlocks?: number | undefined;
  /** Is told of the bytes of the files that were loaded, of all that are to be; those read again for a picture are not told. */
  readonly onProgress?: (loaded: number, total: number) => void;
}

/**
 * Loads a model folder onto the GPU with its LoRA, which is merged into f32 weights and applied on the fly otherwise.
 * Names and shapes of both networks are checked before anything is loaded; then they are loaded a part at a time.
 *
 * @throws {InputError} if the folder, a weight file or the LoRA cannot be used
 */
export async function loadModel(gpu: Gpu, directory: string, options: LoadOptions = {}): Promise<Model> {
  using parts = new DisposableStack();
  const folder = parts.use(await openModelFolder(directory));
  const { transformer, vae } = folder;
  const adapter = await adapterOf(folder, options);
  const settings = { ...folder.settings, ...adapter?.settings };
  const total = storedBytes(transformer.source) + storedBytes(vae.source);
  let loaded = 0;
  const onBytes = (bytes: number) => options.onProgress?.(loaded += bytes, total);

  const mmdit = parts.adopt(new Mmdit(transformer.config), (network) => network.dispose());
  const autoencoder = parts.adopt(new Autoencoder(vae.config), (network) => network.dispose());
  const loader = new AdaptedLoader(gpu, {
    source: transformer.source,
    precision: precisionOf(transformer.source, options),
    adapters: adapter?.adapters ?? new Map(),
    onBytes,
  });
  loader.check(mmdit);
  await loadModule(gpu, autoencoder, { source: vae.source, precision: "f32", onBytes });
  const { txt, txt_shape, y } = adapter?.conditioning ?? await folder.conditioning();
  const conditioning = { txt: tensor(gpu, txt, [1, ...txt_shape]), y: tensor(gpu, y, [1, y.length]) };
  for (const fixed of [conditioning.txt, conditioning.y]) parts.use(fixed);
  if (options.fold) {
    const { T_L, guidance } = settings;
    await mmdit.fold({ ...conditioning, timesteps: [T_L], guidance: [guidance] }, (part) => loader.load(part));
  }
  const blocks = new BlockStream(gpu, {
    loader,
    blocks: [...mmdit.blocks()],
    resident: options.residentBlocks ?? Infinity,
  });
  for (const part of mmdit.parts()) if (!blocks.isStreamed(part.path)) await loader.load(part);
  await gpu.sync();
  gpu.trim();
  if (blocks.isWhole) folder.close();
  const owned = parts.move();
  const dispose = () => owned.dispose();
  return {
    name: settings.name ?? folder.path.split("/").at(-1) ?? folder.path,
    path: folder.path,
    gpu,
    settings,
    notes: adapter?.notes ?? [],
    config: { transformer: transformer.config, vae: vae.config },
    mmdit,
    autoencoder,
    blocks,
    conditioning,
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** The LoRA that a model is used with, its own unless `lora` says another. */
export async function adapterOf(
  { transformer, settings }: ModelFolder,
  { lora = settings.lora }: Pick<LoadOptions, "lora">,
): Promise<AdapterFolder | undefined> {
  if (lora === undefined || lora === false) return undefined;
  return typeof lora === "string" ? await openAdapter(lora, transformer.config) : lora;
}

function precisionOf(source: WeightSource, { precision = "auto" }: LoadOptions): Precision {
  if (precision !== "auto") return precision;
  const elements = [...source.tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return 4 * elements <= SMALL ? "f32" : "native";
}
