import { DryGpu } from "@fluxsr/kernels";
import { GradientSum } from "./gradient_step.ts";
import type { Batch, Stage } from "./stage.ts";
import type { RunConfig } from "./trainer.ts";
import { TrainingState } from "./training_state.ts";

/** What a run needs. Bytes are those of GPU buffers as the pool hands them out. */
export interface Plan {
  /** Networks and all else that is loaded, the trained weights among it. */
  readonly loadedBytes: number;
  /** Moments and running averages. */
  readonly optimiserBytes: number;
  /** The most at any time of a step, all included. */
  readonly peakBytes: number;
  /** Elements that are trained. */
  readonly trained: number;
  /** Of matrix products, convolutions and attention in a step, data preparation included. */
  readonly flopsPerStep: number;
  readonly dispatchesPerStep: number;
  /** Whether blocks are computed again for the gradient rather than kept. */
  readonly recompute: boolean;
}

/**
 * Plans a run without a GPU and without loading weights: goes through one step on a GPU that only counts.
 *
 * @param open opens the stage, as for the run itself
 */
export async function plan<B extends Batch>(
  open: (gpu: DryGpu) => Promise<Stage<B>>,
  config: RunConfig,
): Promise<Plan> {
  using gpu = new DryGpu();
  using stage = await open(gpu);
  const loadedBytes = gpu.memory.live;
  using state = new TrainingState(stage.weights, config);
  const optimiserBytes = gpu.memory.live - loadedBytes;
  const before = { flops: gpu.flops, dispatches: gpu.dispatches };
  {
    const options = { parts: config.accumulate, recompute: config.checkpointing, separate: false };
    using sum = new GradientSum(stage, options);
    for (let part = 0; part < config.accumulate; part++) {
      using batch = await stage.batch({ step: 0, part });
      sum.add(batch);
    }
    using gradients = sum.finish();
    state.update(gradients.total, { lr: config.lr }).dispose();
  }
  return {
    loadedBytes,
    optimiserBytes,
    peakBytes: gpu.memory.peak,
    trained: [...stage.weights.values()].reduce((total, { size }) => total + size, 0),
    flopsPerStep: gpu.flops - before.flops,
    dispatchesPerStep: gpu.dispatches - before.dispatches,
    recompute: config.checkpointing,
  };
}

/** A plan as lines for people; `other` is the same run with blocks recomputed if `plan` keeps them, and vice versa. */
export function planLines(
  { loadedBytes, optimiserBytes, peakBytes, trained, ...perStep }: Plan,
  other: Plan,
): string[] {
  const size = (bytes: number) =>
    bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  const work = ({ flopsPerStep, dispatchesPerStep }: Pick<Plan, "flopsPerStep" | "dispatchesPerStep">) =>
    `${(flopsPerStep / 1e9).toPrecision(3)} GFLOP in ${dispatchesPerStep} dispatches`;
  const flag = perStep.recompute ? "--no-checkpointing" : "--checkpointing";
  return [
    `trained values       ${trained.toLocaleString("en")}`,
    `networks and weights ${size(loadedBytes)}`,
    `optimiser            ${size(optimiserBytes)}`,
    `peak during a step   ${size(peakBytes)} (with ${flag}: ${size(other.peakBytes)})`,
    `work of a step       ${work(perStep)} (with ${flag}: ${work(other)})`,
  ];
}
