import { join } from "node:path";
import {
  Autoencoder,
  type AutoencoderConfig,
  autoencoderJson,
  loadLpips,
  loadModule,
  type Lpips,
  moduleTensors,
  openAutoencoderFolder,
  parseAutoencoderConfig,
  readJson,
  writeNetwork,
} from "@fluxsr/core";
import { type Gpu, mean, normalNoise, scoped, type Tensor } from "@fluxsr/kernels";
import type { AutoencoderTrainingConfig } from "../config/autoencoder_config.ts";
import { type CropSource, drawsOf, randomCrops, requireCropSides } from "../data/crops.ts";
import { openPictures } from "../data/pictures.ts";
import { initialise } from "../init.ts";
import { randomOf } from "../random.ts";
import type { BatchIndex, Stage, Validation } from "../stage.ts";
import { lpipsDistance } from "../validation/figures.ts";
import { type HeldPicture, heldPictures } from "../validation/held_pictures.ts";
import { type AutoencoderBatch, autoencoderGroup } from "./autoencoder_group.ts";
import { validateAutoencoder } from "./autoencoder_validation.ts";
import { latentFactors } from "./latent_factors.ts";

/**
 * An autoencoder and the pictures that it learns from, loaded and checked; `notice` is told what the user should know.
 *
 * @throws {InputError} if the model, a configuration, a weight file or a picture cannot be used
 */
export async function openAutoencoderStage(
  gpu: Gpu,
  config: AutoencoderTrainingConfig,
  { notice }: { notice: (text: string) => void },
): Promise<Stage<AutoencoderBatch>> {
  const network = await openNetwork(gpu, config);
  const { lpips_weights: files, crop: size, valid, validate_count: count, validate_size } = config;
  requireCropSides({ crop: size, validate_size }, { multiple: network.autoencoder.factor });
  return new AutoencoderStage({
    ...network,
    training: config,
    lpips: files && config.lpips > 0 ? await loadLpips(gpu, { files }) : undefined,
    held: valid && await heldPictures(valid, { count, size: validate_size, notice }),
    source: {
      gpu,
      pictures: await openPictures(config.pictures, { size, notice }),
      size,
      seed: config.seed,
      batchSize: config.batch_size,
      parts: config.accumulate,
    },
  });
}

/** A network and its sizes. */
interface Network {
  readonly autoencoder: Autoencoder;
  readonly config: AutoencoderConfig;
}

/** The autoencoder of a model folder, or a new one. */
async function openNetwork(
  gpu: Gpu,
  { model, architecture, seed }: AutoencoderTrainingConfig,
): Promise<Network> {
  if (architecture !== undefined) {
    const config = parseAutoencoderConfig(architecture, await readJson(architecture));
    const autoencoder = new Autoencoder(config);
    await initialise(gpu, autoencoder, { seed });
    return { autoencoder, config };
  }
  using folder = await openAutoencoderFolder(model!);
  const { config, source } = folder.vae;
  const autoencoder = new Autoencoder(config);
  await loadModule(gpu, autoencoder, { source, precision: "f32" });
  return { autoencoder, config };
}

class AutoencoderStage implements Stage<AutoencoderBatch> {
  readonly gpu: Gpu;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly groups: Stage<AutoencoderBatch>["groups"];
  readonly #autoencoder: Autoencoder;
  readonly #config: AutoencoderConfig;
  readonly #dtype: AutoencoderTrainingConfig["dtype"];
  readonly #lpips: Lpips | undefined;
  readonly #held: readonly HeldPicture[] | undefined;
  readonly #source: CropSource;

  constructor({ autoencoder, config, training, lpips, held, source }: Network & {
    training: AutoencoderTrainingConfig;
    lpips: Lpips | undefined;
    held: readonly HeldPicture[] | undefined;
    source: CropSource;
  }) {
    this.gpu = source.gpu;
    this.weights = new Map([...autoencoder.parameters()].map(([name, { tensor }]) => [name, tensor]));
    const distance = lpips && ((x_hat: Tensor, x: Tensor) => scoped(x.gpu, () => mean(lpips.forward(x_hat, x))));
    const { l1, gradient, lpips: perceptual, kl, dtype } = training;
    this.groups = [autoencoderGroup({ autoencoder, lpips: distance }, { l1, gradient, lpips: perceptual, kl })];
    this.#autoencoder = autoencoder;
    this.#config = config;
    this.#dtype = dtype;
    this.#lpips = lpips;
    this.#held = held;
    this.#source = source;
  }

  async batch(index: BatchIndex): Promise<AutoencoderBatch> {
    const draws = drawsOf(index, this.#source);
    const { names, x } = await randomCrops(this.#source, draws);
    const side = this.#source.size / this.#autoencoder.factor;
    const shape = [draws.length, side, side, this.#config.z_channels];
    const seed = randomOf(this.#source.seed, "posterior", index.step, index.part).seed();
    const noise = normalNoise(this.gpu, shape, { seed });
    const dispose = () => [x, noise].forEach((each) => each.dispose());
    return { samples: names, x, noise, [Symbol.dispose]: dispose };
  }

  async validate(): Promise<Validation | undefined> {
    if (!this.#held) return undefined;
    const lpips = this.#lpips && lpipsDistance(this.gpu, this.#lpips);
    return await validateAutoencoder(this.gpu, this.#autoencoder, { held: this.#held, lpips });
  }

  async writeResult(folder: string): Promise<string[]> {
    const [config, source] = [this.#config, this.#source];
    const factors = await latentFactors(this.#autoencoder, { config, source });
    return await writeNetwork(join(folder, "model", "vae"), {
      config: autoencoderJson({ ...config, ...factors }),
      tensors: await moduleTensors(this.#autoencoder, { dtype: this.#dtype === "f32" ? "F32" : "F16" }),
    });
  }

  [Symbol.dispose](): void {
    this.#lpips?.dispose();
    this.#autoencoder.dispose();
  }
}
