import { attachedLora, attachLora, createLora, loadLpips, loadModel, type Model, predictVelocity } from "@fluxsr/core";
import { type Gpu, read, type Tensor } from "@fluxsr/kernels";
import {
  type FtdConfig,
  ftdConfig,
  ftdGroups,
  type FtdNetworks,
  GradientSum,
  parseConfig,
  randomOf,
  readDegradation,
  TrainingState,
  tvLpipsLoss,
} from "@fluxsr/train";
import type { Pairs } from "../packages/train/data/pairs/pairs.ts";
import { ftdBatch, type FtdSource } from "../packages/train/ftd/ftd_data.ts";
import { WrongResultError } from "./check.ts";
import { summary } from "./measure.ts";
import { random } from "./random.ts";
import type { ResultRow } from "./report.ts";
import { stageTimes } from "./stage_times.ts";
import { STARTER } from "./starter.ts";
import { waves } from "./waves.ts";

/** Of the pictures of a training run on the starter. */
const SIDE = 128;
const RUNS = 3;

/** A rate at which few steps show in the loss; all else is a run's default. */
const LEARNING_RATE = 1e-3;

/** All that a step works with. */
interface Student extends Disposable {
  readonly gpu: Gpu;
  readonly config: FtdConfig;
  readonly source: FtdSource;
  readonly networks: FtdNetworks;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly state: TrainingState;
}

/**
 * A step of FTD on the starter, Algorithm 1 with all its terms, on one picture: GPU time of each stage and of all,
 * and the wall time of a step, in which the processor compresses JPEGs and records.
 *
 * @throws {WrongResultError} if the steps do not lower the loss of their sample
 */
export async function trainStepStages(gpu: Gpu): Promise<ResultRow[]> {
  using student = await openStudent(gpu);
  const losses: number[] = [];
  const timed: Map<string, number>[] = [];
  const walls: number[] = [];
  losses.push(await takeStep(student)); // compiles
  for (let i = 0; i < RUNS; i++) {
    timed.push(await stageTimes(gpu, async (begin) => void losses.push(await takeStep(student, begin))));
    const start = performance.now();
    losses.push(await takeStep(student));
    walls.push(performance.now() - start);
  }
  const [first = NaN, last = NaN] = [losses[0], losses.at(-1)];
  if (!(last < first)) {
    throw new WrongResultError(
      `Cannot time train_step: steps must lower the loss of their sample: it went from ${first} to ${last}`,
    );
  }
  const all = timed.map((stages) => [...stages.values()].reduce((sum, each) => sum + each, 0));
  const stages = [...timed[0]?.keys() ?? []].map((stage) => ({
    stage,
    times: timed.map((run) => run.get(stage) ?? NaN),
  }));
  return [...stages, { stage: "all", times: all }, { stage: "wall", times: walls }].map(({ stage, times }) => ({
    name: `train_step/starter-${SIDE}.${stage}`,
    shape: `${SIDE}^2, 1 sample`,
    origin: "the starter, FTD with the defaults",
    ...summary(times),
  }));
}

/** Takes a step, always on the same sample; returns the loss before it. */
async function takeStep(
  { gpu, config, source, networks, weights, state }: Student,
  begin: (stage: string) => void = () => {},
): Promise<number> {
  begin("data");
  using batch = await ftdBatch(source, { step: 0, part: 0 });
  const { ftd, mse, latent_mse, lambda: tv_lpips, adl } = config;
  const observe = (name: string) => {
    if (name === "z_0hat") begin("decoder_forward");
    if (name === "x_0hat") begin("lpips_forward");
  };
  const groups = ftdGroups(networks, { ftd, mse, latent_mse, tv_lpips, adl }, observe).map(({ weights, loss }) => ({
    weights,
    loss: async (...args: Parameters<typeof loss>) => {
      const [forward, backward] = "ftd" in weights
        ? ["ftd_forward", "ftd_backward"] as const
        : ["transformer_forward", "backward"] as const;
      begin(forward);
      const terms = await loss(...args);
      begin(backward);
      return terms;
    },
  }));
  using sum = new GradientSum({ gpu, weights, groups }, { parts: 1, recompute: false, separate: false });
  await sum.add(batch);
  begin("optimiser");
  using gradients = sum.finish();
  state.update(gradients.total, { lr: config.lr }).dispose();
  const [total] = await read(gradients.losses.get("total")!);
  return total?.[0] ?? NaN;
}

/** The starter with new adapters, as `train ftd` begins with. */
async function openStudent(gpu: Gpu): Promise<Student> {
  const config = parseConfig(ftdConfig, { pairs: "none", out: "none", lr: LEARNING_RATE });
  const model = await loadModel(gpu, STARTER, { lora: false });
  const lpips = await loadLpips(gpu);
  const { transformer } = model.config;
  attachLora(
    gpu,
    model.mmdit,
    createLora(transformer, {
      rank: config.rank,
      random: (module) => randomOf(config.seed, "lora", module),
    }),
  );
  const weights = new Map(
    [...attachedLora(model.mmdit)].flatMap(([name, { a, b }]) => [[`${name}.a`, a], [`${name}.b`, b]] as const),
  );
  const state = new TrainingState(weights, config);
  return {
    gpu,
    config,
    source: await openSource(model, config),
    networks: {
      velocity: (z, options) => predictVelocity(model, z, options),
      stepVelocity: (z_L, options) => predictVelocity(model, z_L, options),
      decode: (z) => model.autoencoder.decode([z])[0]!,
      tvLpips: (x_0hat, x_0) => tvLpipsLoss(x_0hat, x_0, { lpips, gamma: config.gamma }),
      T_L: model.settings.T_L,
      factor: model.autoencoder.factor,
      textTokens: model.conditioning.txt.shape[1] ?? 0,
    },
    weights,
    state,
    [Symbol.dispose]() {
      state[Symbol.dispose]();
      lpips.dispose();
      model.dispose();
    },
  };
}

/** One pair that no teacher made: it takes as long as any other. */
async function openSource(
  { gpu, autoencoder, config: { vae }, settings: { T_L } }: Model,
  { scale, seed, decode_crop: decodeCrop }: FtdConfig,
): Promise<FtdSource> {
  const side = SIDE / 2 ** (vae.ch_mult.length - 1);
  const shape = [side, side, vae.z_channels] as const;
  const size = side ** 2 * vae.z_channels;
  const pair = { number: 0, shape, eps: random(size, 1), z_0: random(size, 2), x_0: waves(SIDE), prompt: 0 };
  const pairs: Pick<Pairs, "count" | "size" | "pair"> = { count: 1, size: SIDE, pair: () => Promise.resolve(pair) };
  return {
    gpu,
    autoencoder,
    pairs: pairs as Pairs, // batches do not ask where pairs are from
    degradation: await readDegradation(),
    scale,
    T_L,
    seed,
    batchSize: 1,
    parts: 1,
    decodeCrop,
    residual: false,
  };
}
