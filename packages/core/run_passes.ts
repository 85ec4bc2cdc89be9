import type { BlockStream } from "./block_stream.ts";

/** Options of {@linkcode runPasses}. */
export interface PassOptions {
  readonly blocks: BlockStream;
  /** Ends the work before the next block, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs forward passes of one network side by side; each stops before every block and gives out its path. A block that is not on
 * the GPU is loaded when its turn comes, once for all passes: the host reads the next one while the GPU computes this one.
 * To be called in a scope.
 *
 * @returns what each pass ended with
 */
export async function runPasses<T>(
  passes: readonly Generator<string, T>[],
  { blocks, signal }: PassOptions,
): Promise<readonly T[]> {
  let states = passes.map((pass) => pass.next());
  for (let [state] = states; state && !state.done; [state] = states) {
    signal?.throwIfAborted();
    await blocks.with(state.value, () => void (states = passes.map((pass) => pass.next())));
  }
  return states.map(({ value }) => value as T);
}
