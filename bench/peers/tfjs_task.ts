import * as tf from "@tensorflow/tfjs-core";
import type { Task } from "./task.ts";

/** What `compute` makes of `inputs`, which it takes over; `axes` is the order of axes that makes results row-major. */
export async function task(
  inputs: tf.Tensor[],
  compute: (...inputs: tf.Tensor[]) => tf.Tensor[],
  axes?: number[],
): Promise<Task> {
  const once = () => compute(...inputs);
  const run = async (times = 1) => {
    const results = Array.from({ length: times }, once).flat();
    // The library has no call that waits for the queue: one value of the last result is read back.
    const last = results.at(-1) as tf.Tensor;
    const value = tf.slice(last, last.shape.map(() => 0), last.shape.map(() => 1));
    await value.data();
    tf.dispose([...results, value]);
  };
  await run(); // uploads the inputs
  return {
    run,
    async sample() {
      const results = once();
      const ordered = axes ? results.map((result) => tf.transpose(result, axes)) : results;
      const values = await Promise.all(ordered.map((result) => result.data()));
      tf.dispose([...results, ...ordered]);
      return values as Float32Array[];
    },
    dispose: () => tf.dispose(inputs),
  };
}
