import { join } from "node:path";
import { InputError } from "@fluxsr/core";
import { read, type Tensor } from "@fluxsr/kernels";
import { BatchesAhead } from "./batches_ahead.ts";
import { CheckpointStore } from "./checkpoint_store.ts";
import { GradientSum } from "./gradient_step.ts";
import type { MetricsLog } from "./log/metrics_log.ts";
import { learningRate, type Schedule } from "./optim/schedule.ts";
import type { Batch, Stage } from "./stage.ts";
import { type OptimiserConfig, TrainingState } from "./training_state.ts";

/** What a run is configured by; a stage's own configuration has more. */
export interface RunConfig extends OptimiserConfig {
  readonly steps: number;
  /** Seconds after which no step is begun. */
  readonly max_seconds?: number | undefined;
  readonly lr: number;
  readonly lr_schedule: Schedule;
  readonly warmup: number;
  readonly batch_size: number;
  readonly accumulate: number;
  readonly checkpointing: boolean;
  /** The most that the GPU may hold, as `24GB`; stages whose frozen blocks can be loaded in their turn have it. */
  readonly max_vram?: string | undefined;
  readonly log_every: number;
  readonly validate_every: number;
  readonly checkpoint_every: number;
  readonly keep_checkpoints: number;
}

/** Where a run stands. */
export interface RunProgress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly picturesPerSecond: number;
  readonly secondsLeft: number;
}

/** Options of {@linkcode train}. */
export interface TrainOptions<C extends RunConfig> {
  readonly config: C;
  /** The run's folder; checkpoints go below it. */
  readonly out: string;
  /** Go on from the newest checkpoint, if there is one. */
  readonly resume: boolean;
  /** Ends the run after the step that it is in, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly log: MetricsLog;
  readonly onProgress?: (progress: RunProgress) => void;
  /** A clock that only goes forward, in milliseconds. */
  readonly now?: () => number;
}

/** What a run came to. */
export interface TrainResult {
  readonly step: number;
  readonly finished: boolean;
  /** Files for use, if the run is finished. */
  readonly files: readonly string[];
}

/** A step whose figures have not been read back yet. */
interface Pending {
  readonly step: number;
  readonly lr: number;
  readonly samples: readonly string[];
  readonly losses: ReadonlyMap<string, Tensor>;
  readonly norms: ReadonlyMap<string, Tensor>;
}

/**
 * Trains the weights of `stage`.
 *
 * Nothing depends on time or on what happened before a step: a run that was stopped, or killed at any moment, and goes
 * on from its checkpoint ends with the same bits as one that was not. Figures are read back every `log_every` steps
 * only, since a wait costs more than a small step. Only `max_seconds` is an exception: it ends a run, as if it were
 * finished, after as many steps as the clock allows, and the learning rate falls by the clock.
 *
 * @throws {InputError} if a loss or gradient is not finite (weights and checkpoints are as before that step), or a file
 * cannot be written
 */
export async function train<B extends Batch, C extends RunConfig>(
  stage: Stage<B>,
  options: TrainOptions<C>,
): Promise<TrainResult> {
  await using run = new Run(stage, options);
  return await run.finish();
}

class Run<B extends Batch, C extends RunConfig> implements AsyncDisposable {
  readonly #stage: Stage<B>;
  readonly #batches: BatchesAhead<B>;
  readonly #options: TrainOptions<C>;
  readonly #store: CheckpointStore;
  readonly #state: TrainingState;
  readonly #now: () => number;
  readonly #start: number;
  #pending: Pending[] = [];
  /** When the figures were read last, and at which step. */
  #clock: { time: number; step: number };

  constructor(stage: Stage<B>, options: TrainOptions<C>) {
    const { config, out, now = () => performance.now() } = options;
    const { accumulate: parts, steps } = config;
    this.#stage = stage;
    // A budget is planned for the batch in hand alone.
    this.#batches = new BatchesAhead(stage, { parts, steps, isAhead: stage.gpu.buffers.budget === Infinity });
    this.#options = options;
    this.#store = new CheckpointStore(join(out, "checkpoints"), { keep: config.keep_checkpoints });
    this.#state = new TrainingState(stage.weights, config);
    this.#now = now;
    this.#start = now();
    this.#clock = { time: this.#start, step: 0 };
  }

  async finish(): Promise<TrainResult> {
    const { config, out, resume, log, signal } = this.#options;
    const state = this.#state;
    if (resume) state.steps = await this.#store.restore(state.tensors) ?? 0;
    await log.resumeAt(state.steps);
    if (state.steps === 0) {
      await log.baselines(this.#stage.baselines ?? {});
      await this.#validate(0);
    }
    this.#clock = { time: this.#now(), step: state.steps };
    let isLast = this.#isOver();
    let saved = state.steps;
    const save = async () => {
      await this.#readFigures();
      await this.#store.save({ step: state.steps, tensors: state.tensors });
      saved = state.steps;
    };
    while (!isLast && !signal?.aborted) {
      await this.#step();
      const step = state.steps;
      isLast = this.#isOver();
      const isDue = (every: number) => step % every === 0 || isLast;
      if (isDue(config.log_every)) await this.#readFigures();
      if (isDue(config.validate_every)) await this.#validate(step);
      if (isDue(config.checkpoint_every)) await save();
    }
    if (saved !== state.steps) await save(); // the signal came after that step was begun
    const step = state.steps;
    if (!isLast) return { step, finished: false, files: [] };
    return { step, finished: true, files: await state.averaged(() => this.#stage.writeResult(out)) };
  }

  /** Whether all steps are made, or the time is up. */
  #isOver(): boolean {
    const { steps, max_seconds = Infinity } = this.#options.config;
    return this.#state.steps >= steps || this.#seconds() >= max_seconds;
  }

  /** Since the run began, or went on. */
  #seconds(): number {
    return (this.#now() - this.#start) / 1000;
  }

  async #step(): Promise<void> {
    const { config } = this.#options;
    const { accumulate: parts, checkpointing: recompute, log_every, lr_schedule: schedule, max_seconds = Infinity } =
      config;
    const taken = this.#state.steps;
    const separate = (taken + 1) % log_every === 0 || taken + 1 === config.steps;
    using sum = new GradientSum(this.#stage, { parts, recompute, separate });
    const samples: string[] = [];
    for (let part = 0; part < parts; part++) {
      using batch = await this.#batches.take({ step: taken, part });
      samples.push(...batch.samples);
      await sum.add(batch);
    }
    const lr = learningRate(taken, { ...config, schedule, elapsed: this.#seconds() / max_seconds });
    const { total, losses, norms } = sum.finish();
    const norm = this.#state.update(total, { lr });
    for (const each of total) each.dispose();
    this.#stage.gpu.flush();
    this.#pending.push({ step: taken + 1, lr, samples, losses, norms: new Map([...norms, ["total", norm]]) });
  }

  /** Reads what happened since the last time, all in one wait, and logs it. */
  async #readFigures(): Promise<void> {
    const { config, log, onProgress } = this.#options;
    const { max_seconds = Infinity } = config;
    const pending = this.#pending.splice(0);
    const tensors = pending.flatMap(({ losses, norms }) => [...losses.values(), ...norms.values()]);
    const values = (await read(...tensors)).map(([value = NaN]) => value).values();
    for (const each of tensors) each.dispose();
    const named = (map: ReadonlyMap<string, Tensor>) =>
      Object.fromEntries([...map.keys()].map((name) => [name, values.next().value ?? NaN]));
    const records = pending.map(({ losses, norms, ...step }) => ({ ...step, loss: named(losses), norm: named(norms) }));
    const last = records.at(-1);
    if (!last) return;
    const seconds = (this.#now() - this.#clock.time) / 1000;
    const pace = (last.step - this.#clock.step) / seconds;
    this.#clock = { time: this.#now(), step: last.step };
    const picturesPerSecond = pace * config.batch_size * config.accumulate;
    for (const { step, lr, loss, norm, samples } of records) {
      requireFinite({ step, loss, norm, samples });
      await log.step({ step, lr, loss, grad_norm: norm, images_per_s: picturesPerSecond });
    }
    onProgress?.({
      step: last.step,
      steps: config.steps,
      loss: last.loss.total ?? NaN,
      picturesPerSecond,
      secondsLeft: Math.min((config.steps - last.step) / pace, max_seconds - this.#seconds()),
    });
  }

  async #validate(step: number): Promise<void> {
    const start = this.#now();
    const validation = await this.#state.averaged(() => this.#stage.validate());
    if (validation) await this.#options.log.validation({ step, ...validation });
    this.#clock.time += this.#now() - start; // not the steps' time
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches[Symbol.asyncDispose]();
    for (const { losses, norms } of this.#pending) {
      for (const each of [...losses.values(), ...norms.values()]) each.dispose();
    }
    this.#state[Symbol.dispose]();
  }
}

/** Stops at the first thing that is not a finite number; a term comes before the total. */
function requireFinite({ step, loss, norm, samples }: {
  step: number;
  loss: Readonly<Record<string, number>>;
  norm: Readonly<Record<string, number>>;
  samples: readonly string[];
}): void {
  const all = [
    ...Object.entries(loss).map(([name, value]) => ({ what: `loss "${name}"`, value })),
    ...Object.entries(norm).map(([name, value]) => ({ what: `the gradient of "${name}"`, value })),
  ];
  const bad = all.find(({ value }) => !Number.isFinite(value));
  if (!bad) return;
  throw new InputError(
    `Cannot go on after step ${step}: ${bad.what} must be finite: it is ${bad.value} for ${samples.join(", ")}`,
    { hint: "No checkpoint has it. Try a lower --lr, a lower --clip or a warm-up, and look at the samples." },
  );
}
