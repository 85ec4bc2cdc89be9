import type { Gpu } from "@fluxsr/kernels";
import type { BlockStream } from "./block_stream.ts";
import type { Part } from "./nn/module.ts";

/** Options of {@linkcode runPasses}. */
export interface PassOptions {
  readonly blocks: BlockStream;
  /** Ends the work before the next block, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs forward passes of one network side by side; each stops before every block and gives it out. A block that is not on
 * the GPU is loaded when its turn comes, once for all passes: the host reads the next one while the GPU computes this one.
 * To be called in a scope.
 *
 * @returns what each pass ended with
 */
export async function runPasses<T>(
  gpu: Gpu,
  passes: readonly Generator<Part, T>[],
  { blocks, signal }: PassOptions,
): Promise<readonly T[]> {
  let states = passes.map((pass) => pass.next());
  for (let [state] = states; state && !state.done; [state] = states) {
    signal?.throwIfAborted();
    await blocks.with(state.value, () => {
      states = passes.map((pass) => pass.next());
      gpu.flush();
    });
  }
  return states.map(({ value }) => value as T);
}
