import { DryGpu, empty } from "@fluxsr/kernels";
import { GradientSum } from "./gradient_step.ts";
import type { Batch, OpenStage, Stage } from "./stage.ts";
import type { RunConfig } from "./trainer.ts";
import { TrainingState } from "./training_state.ts";

/** What a run needs. Bytes are those of GPU buffers as the pool hands them out. */
export interface Plan {
  /** Networks and all else that is loaded, the trained weights among it. */
  readonly loadedBytes: number;
  /** Moments and running averages. */
  readonly optimiserBytes: number;
  /** The most in use at any time of a step, all included. */
  readonly usedBytes: number;
  /** The most reserved at any time of a step: what is kept for reuse counts too. */
  readonly peakBytes: number;
  /** Elements that are trained. */
  readonly trained: number;
  /** Of matrix products, convolutions and attention in a step, data preparation included. */
  readonly flopsPerStep: number;
  readonly dispatchesPerStep: number;
  /** Whether blocks are computed again for the gradient rather than kept. */
  readonly recompute: boolean;
  /** The frozen blocks, if there are some. */
  readonly blocks: BlocksPlan | undefined;
}

/** Where the frozen blocks are. */
export interface BlocksPlan {
  /** Bytes of each. */
  readonly sizes: readonly number[];
  /** How many stay on the GPU, from the first on. */
  readonly resident: number;
  /** Bytes of those that are loaded in their turn, over all turns of a step. */
  readonly loadedPerStep: number;
  /** The same of a step whose terms are logged apart, each of which takes a backward pass of its own. */
  readonly loadedPerLoggedStep: number;
}

/** Options of {@linkcode plan}. */
export interface PlanOptions {
  /** The GPU to count on; default: one without limits. It has the budget, if there is one. */
  readonly gpu?: DryGpu;
  /** How many of the frozen blocks stay; default: all. */
  readonly residentBlocks?: number;
}

/**
 * Plans a run without a GPU and without loading weights: goes through two steps on a GPU that only counts, one as most are
 * and one whose terms are logged apart. Validation is left out.
 *
 * @throws {OutOfMemoryError} if a step does not fit the budget of the GPU
 */
export async function plan<B extends Batch>(
  open: OpenStage<B>,
  config: RunConfig,
  { gpu = new DryGpu(), residentBlocks }: PlanOptions = {},
): Promise<Plan> {
  using stage = await open(gpu, { residentBlocks, notice: () => {} });
  const loadedBytes = gpu.memory.live;
  using state = new TrainingState(stage.weights, config);
  const optimiserBytes = gpu.memory.live - loadedBytes;
  using _ = figures(stage, config);
  const usual = await count(gpu, stage, () => step(stage, { state, config, separate: false }));
  const logged = await count(gpu, stage, () => step(stage, { state, config, separate: true }));
  const { blocks } = stage;
  return {
    loadedBytes,
    optimiserBytes,
    usedBytes: gpu.memory.livePeak,
    peakBytes: gpu.memory.peak,
    trained: [...stage.weights.values()].reduce((total, { size }) => total + size, 0),
    flopsPerStep: usual.flops,
    dispatchesPerStep: usual.dispatches,
    recompute: config.checkpointing,
    blocks: blocks && {
      sizes: blocks.sizes,
      resident: blocks.resident,
      loadedPerStep: usual.loaded,
      loadedPerLoggedStep: logged.loaded,
    },
  };
}

/** One step, as the trainer makes it. */
async function step<B extends Batch>(
  stage: Stage<B>,
  { state, config, separate }: { state: TrainingState; config: RunConfig; separate: boolean },
): Promise<void> {
  using sum = new GradientSum(stage, { parts: config.accumulate, recompute: config.checkpointing, separate });
  for (let part = 0; part < config.accumulate; part++) {
    using batch = await stage.batch({ step: 0, part });
    await sum.add(batch);
  }
  using gradients = sum.finish();
  state.update(gradients.total, { lr: config.lr }).dispose();
}

/** Losses and norms of the steps before one that is logged, which wait on the GPU to be read. */
function figures<B extends Batch>({ gpu, groups }: Stage<B>, { log_every }: RunConfig): Disposable {
  const terms = groups.flatMap(({ weights }) => Object.keys(weights)).length;
  const tensors = Array.from({ length: (log_every - 1) * (terms + 2) }, () => empty(gpu, [1])); // two of all terms together
  return { [Symbol.dispose]: () => tensors.forEach((each) => each.dispose()) };
}

/** What `work` takes. */
async function count(
  gpu: DryGpu,
  { blocks }: Pick<Stage, "blocks">,
  work: () => Promise<void>,
): Promise<{ flops: number; dispatches: number; loaded: number }> {
  const now = () => ({ flops: gpu.flops, dispatches: gpu.dispatches, loaded: blocks?.loadedBytes ?? 0 });
  const before = now();
  await work();
  const after = now();
  return {
    flops: after.flops - before.flops,
    dispatches: after.dispatches - before.dispatches,
    loaded: after.loaded - before.loaded,
  };
}
