import { type Array as JaxArray, blockUntilReady, jit, numpy as np } from "@jax-js/jax";
import type { Task } from "./task.ts";

/**
 * What `compute` makes of `args`, which it takes over; `axes` is, for each result, the order of axes that makes it
 * row-major, channels last.
 */
export async function task(
  args: JaxArray[],
  compute: (...args: JaxArray[]) => JaxArray[],
  axes: readonly (number[] | undefined)[] = [],
): Promise<Task> {
  const compiled = jit(compute);
  const inputs = await blockUntilReady(args) as JaxArray[];
  const once = () => compiled(...inputs.map(({ ref }) => ref)) as JaxArray[]; // a call takes its arguments over
  return {
    async run(times = 1) {
      const results = Array.from({ length: times }, once).flat();
      await blockUntilReady(results);
      for (const result of results) result.dispose();
    },
    async sample() {
      const ordered = once().map((result, i) => axes[i] ? np.transpose(result, axes[i]) : result);
      return await Promise.all(ordered.map((result) => result.data())) as Float32Array[];
    },
    dispose() {
      for (const each of inputs) each.dispose();
    },
  };
}
