import {
  attachedLora,
  attachLora,
  type BlockStream,
  BUNDLED_MODEL,
  createLora,
  granularity,
  InputError,
  loadLpips,
  loadModel,
  type LoraAdapter,
  type Lpips,
  type Model,
  openWeights,
  predictVelocities,
  readLora,
  stepVelocities,
} from "@fluxsr/core";
import { DryGpu, type Gpu, type Tensor } from "@fluxsr/kernels";
import type { FtdConfig } from "../config/ftd_config.ts";
import { readDegradation } from "../data/degradation/parameters.ts";
import { requireCropSides } from "../data/crops.ts";
import { checkLatents } from "../data/pairs/latent_shape.ts";
import { openPairs } from "../data/pairs/pairs.ts";
import { randomOf } from "../random.ts";
import type { OpenOptions, OpenStage, Stage, Validation } from "../stage.ts";
import { lpipsDistance } from "../validation/figures.ts";
import { heldPictures } from "../validation/held_pictures.ts";
import { tvLpipsLoss } from "../losses/tv_lpips.ts";
import { ftdBatch, type FtdSource } from "./ftd_data.ts";
import { type FtdBatch, ftdGroups } from "./ftd_groups.ts";
import { writeFtdResult } from "./ftd_result.ts";
import { FtdValidation } from "./ftd_validation.ts";

/**
 * Reads and checks the pairs, once for the run and its plans; what it returns loads everything else that Algorithm 1 needs.
 *
 * @param tell `notice` is told what the user should know; `isPlan`: nothing will be trained, so that the pairs may be of
 * another model
 *
 * @throws {InputError} if the model, the pairs or the degradation cannot be used
 */
export async function prepareFtd(
  config: FtdConfig,
  { notice, isPlan = false }: { notice: (text: string) => void; isPlan?: boolean },
): Promise<OpenStage<FtdBatch>> {
  const degradation = await readDegradation(config.degradation);
  const pairs = await openPairs(config.pairs, {
    model: isPlan ? undefined : config.model ?? BUNDLED_MODEL,
    skipBad: config.skip_bad,
    notice,
  });
  return (gpu, options) => openFtdStage(gpu, config, { ...options, degradation, pairs });
}

/** What of a stage needs no GPU. */
type Prepared = Pick<FtdSource, "degradation" | "pairs">;

async function openFtdStage(
  gpu: Gpu,
  config: FtdConfig,
  { notice, residentBlocks, degradation, pairs }: OpenOptions & Prepared,
): Promise<Stage<FtdBatch>> {
  const { precision } = config;
  const teacher = await loadModel(gpu, config.model ?? BUNDLED_MODEL, { lora: false, precision, residentBlocks });
  checkLatents(pairs, teacher);
  const { scale } = config;
  const model: Model = { ...teacher, settings: settingsOf(config, teacher) };
  checkFit(config, { model, pairs, scale });
  const { valid, validate_count: count, validate_size: size } = config;
  const lpips = config.lambda > 0 || valid ? await loadLpips(gpu, { files: config.lpips_weights ?? [] }) : undefined;
  if (lpips) notice(`LPIPS with ${lpips.source}${config.lpips_weights ? "" : ": no --lpips-weights are given"}`);
  const common = { degradation, scale, seed: config.seed };
  // A plan leaves validation out: it takes less than a step.
  const validation = valid && !(gpu instanceof DryGpu) && await FtdValidation.open(
    model,
    await heldPictures(valid, { count, size, notice }),
    { ...common, lpips: lpips && lpipsDistance(gpu, lpips) },
  );
  attachLora(gpu, model.mmdit, await startingLora(config, model));
  return new FtdStage({
    config,
    model,
    validation: validation || undefined,
    lpips,
    source: {
      ...common,
      gpu,
      autoencoder: model.autoencoder,
      pairs,
      T_L: model.settings.T_L,
      batchSize: config.batch_size,
      parts: config.accumulate,
      decodeCrop: config.decode_crop,
      // Without a term in pixels nothing is decoded.
      residual: model.settings.residual && config.mse + config.lambda > 0,
    },
  });
}

/** The model's own where the configuration has no others. */
function settingsOf(config: FtdConfig, { settings }: Model): Model["settings"] {
  const { T_L, guidance, token_shifts, notch, residual } = config;
  return {
    ...settings,
    T_L: T_L ?? settings.T_L,
    guidance: guidance ?? settings.guidance,
    token_shifts: token_shifts ?? settings.token_shifts,
    notch: notch ?? settings.notch,
    residual: residual ?? settings.residual,
  };
}

/** @throws {InputError} if the time, the pairs or the validation do not fit the formulas, the scale or the model */
function checkFit(
  { ftd, valid, validate_size, decode_crop }: FtdConfig,
  { model, pairs, scale }: { model: Model } & Pick<FtdSource, "pairs" | "scale">,
): void {
  const { T_L } = model.settings;
  if (ftd > 0 && T_L >= 1) {
    throw new InputError(`Cannot train with FTD: T_L must be below 1, since Eq. 16 divides by 1 - T_L: it is ${T_L}`);
  }
  const byScale = { multiple: scale, why: "the scale" };
  requireCropSides({ "the side of pairs": pairs.size }, byScale);
  if (decode_crop !== undefined) requireCropSides({ decode_crop }, { multiple: model.autoencoder.factor });
  if (!valid) return;
  requireCropSides({ validate_size }, byScale);
  requireCropSides({ validate_size }, { multiple: granularity(model) });
}

/** The adapters to start from: those of a file, or new ones that change nothing. */
async function startingLora(config: FtdConfig, model: Model): Promise<ReadonlyMap<string, LoraAdapter>> {
  if (config.init_lora !== undefined) {
    using source = await openWeights(config.init_lora);
    return (await readLora(source, model.config.transformer)).adapters;
  }
  return createLora(model.config.transformer, {
    rank: config.rank,
    ...(config.lora_targets && { targets: config.lora_targets }),
    random: (module) => randomOf(config.seed, "lora", module),
  });
}

class FtdStage implements Stage<FtdBatch> {
  readonly gpu: Gpu;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly groups: Stage<FtdBatch>["groups"];
  readonly blocks: BlockStream;
  readonly #config: FtdConfig;
  readonly #model: Model;
  readonly #validation: FtdValidation | undefined;
  readonly #lpips: Lpips | undefined;
  readonly #source: FtdSource;

  constructor({ config, model, validation, lpips, source }: {
    config: FtdConfig;
    model: Model;
    validation: FtdValidation | undefined;
    lpips: Lpips | undefined;
    source: FtdSource;
  }) {
    this.#config = config;
    this.#model = model;
    this.#validation = validation;
    this.#lpips = lpips;
    this.#source = source;
    this.gpu = model.gpu;
    this.blocks = model.blocks;
    this.weights = new Map(
      [...attachedLora(model.mmdit)].flatMap(([name, { a, b }]) => [[`${name}.lora_A`, a], [`${name}.lora_B`, b]]),
    );
    const { ftd, mse, latent_mse, lambda: tv_lpips, adl, gamma } = config;
    const settled = async (velocities: Promise<readonly Tensor[]>) => {
      const [v] = await velocities;
      // Within a budget what the transformer gives back is free before the decoder needs it.
      if (model.gpu.buffers.budget < Infinity) await model.gpu.sync();
      return v!;
    };
    this.groups = ftdGroups({
      velocity: (z, options) => settled(predictVelocities(model, [z], options)),
      stepVelocity: (z_L, { observe }) => settled(stepVelocities(model, [z_L], { observe })),
      decode: (z) => model.autoencoder.decode([z])[0]!,
      tvLpips: lpips && ((x_0hat, x_0) => tvLpipsLoss(x_0hat, x_0, { lpips, gamma })),
      T_L: source.T_L,
      factor: model.autoencoder.factor,
      textTokens: model.conditioning.txt.shape[1] ?? 0,
    }, { ftd, mse, latent_mse, tv_lpips, adl });
  }

  get baselines(): NonNullable<Stage["baselines"]> {
    return this.#validation?.baselines ?? {};
  }

  batch(index: Parameters<Stage["batch"]>[0]): Promise<FtdBatch> {
    return ftdBatch(this.#source, index);
  }

  validate(): Promise<Validation | undefined> {
    return Promise.resolve(this.#validation?.validate());
  }

  writeResult(folder: string): Promise<string[]> {
    return writeFtdResult(folder, this.#model, { dtype: this.#config.lora_dtype === "f32" ? "F32" : "F16" });
  }

  [Symbol.dispose](): void {
    this.#validation?.[Symbol.dispose]();
    this.#lpips?.dispose();
    this.#model.dispose();
  }
}
