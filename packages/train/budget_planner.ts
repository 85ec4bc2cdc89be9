import { OverBudgetError, withMostBlocks } from "@fluxsr/core";
import { DryGpu } from "@fluxsr/kernels";
import { type Plan, plan } from "./plan.ts";
import type { Batch, OpenStage } from "./stage.ts";
import type { RunConfig } from "./trainer.ts";

/** Plans runs within a budget of bytes; what does not depend on the budget is found once. */
export class BudgetPlanner<B extends Batch = Batch> {
  readonly #open: OpenStage<B>;
  readonly #config: RunConfig;
  readonly #dryGpu: () => DryGpu;
  #least: Promise<Plan> | undefined;

  /**
   * @param config what is planned always recomputes blocks: those that are loaded in their turn cannot be kept
   * @param options `dryGpu` makes a GPU to count on
   */
  constructor(
    open: OpenStage<B>,
    config: RunConfig,
    { dryGpu = () => new DryGpu() }: { dryGpu?: () => DryGpu } = {},
  ) {
    this.#open = open;
    this.#config = { ...config, checkpointing: true };
    this.#dryGpu = dryGpu;
  }

  /**
   * The plan with the most frozen blocks on the GPU; the others are loaded whenever they are needed.
   *
   * @throws {OverBudgetError} if a step does not fit the budget with one block at a time
   */
  async within(budget: number): Promise<Plan> {
    const { usedBytes, blocks } = await this.least();
    const room = budget - usedBytes;
    const found = room >= 0 &&
      await withMostBlocks((resident) => this.#plan(resident, budget), { sizes: blocks?.sizes ?? [], room });
    if (found) return found;
    throw new OverBudgetError(
      `Cannot train within ${budget} bytes of GPU memory: with one block at a time a step takes ${usedBytes}`,
      { neededBytes: usedBytes, instead: "lower --batch-size, --decode-crop or --rank" },
    );
  }

  /** The plan with no frozen block on the GPU but the one whose turn it is. */
  least(): Promise<Plan> {
    return this.#least ??= this.#plan(0);
  }

  async #plan(residentBlocks: number, budget = Infinity): Promise<Plan> {
    using gpu = this.#dryGpu();
    gpu.buffers.budget = budget;
    return await plan(this.#open, this.#config, { gpu, residentBlocks });
  }
}
