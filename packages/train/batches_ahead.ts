import type { Batch, BatchIndex, Stage } from "./stage.ts";

/** Batches that are being made while one is in use. */
const AHEAD = 5;

/** Options of {@linkcode BatchesAhead}. */
export interface BatchesAheadOptions {
  /** Batches in a step. */
  readonly parts: number;
  /** Steps of the run: nothing is made for later ones. */
  readonly steps: number;
  /** Whether batches are made before they are wanted, which takes memory for a few more. */
  readonly isAhead: boolean;
}

/**
 * The batches of a run in order, begun before they are wanted. Degrading a picture waits for the GPU at every JPEG
 * compression: with a few batches in the making, those waits pass while the GPU is busy with a step.
 */
export class BatchesAhead<B extends Batch> implements AsyncDisposable {
  readonly #stage: Pick<Stage<B>, "batch">;
  readonly #options: BatchesAheadOptions;
  /** Those after the last one taken, in order. */
  readonly #coming: Promise<B>[] = [];

  constructor(stage: Pick<Stage<B>, "batch">, options: BatchesAheadOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  /** The batch at `index`, which is the caller's; the one after the last one that was taken, or the first. */
  async take({ step, part }: BatchIndex): Promise<B> {
    const { parts, steps, isAhead } = this.#options;
    const number = step * parts + part;
    const end = isAhead ? Math.min(number + 1 + AHEAD, steps * parts) : number + 1;
    for (let next = number + this.#coming.length; next < end; next++) {
      const batch = this.#stage.batch({ step: Math.floor(next / parts), part: next % parts });
      batch.catch(() => {}); // whoever takes it is told
      this.#coming.push(batch);
    }
    return await this.#coming.shift()!;
  }

  /** Waits for those that were begun, and frees them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const rest = await Promise.allSettled(this.#coming.splice(0));
    for (const each of rest) if (each.status === "fulfilled") each.value[Symbol.dispose]();
  }
}
