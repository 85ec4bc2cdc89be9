import type { Gpu, Tensor } from "@fluxsr/kernels";

/** Runs of a shape: at least so many, then as many as fit into the time, but not more than enough. */
const RUNS = { least: 5, most: 200, milliseconds: 1000 };

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

/** How often to repeat what took `milliseconds` once. */
export function repeats(milliseconds: number, { least, most, milliseconds: budget } = RUNS): number {
  return Math.max(least, Math.min(most, Math.ceil(budget / Math.max(milliseconds, 1e-6))));
}

/** GPU milliseconds of each of the `times` equal runs of `work`: the sum of its dispatches, each between timestamps. */
export async function timestamps(gpu: Gpu, times: number, work: () => void | Promise<void>): Promise<number[]> {
  const { times: dispatches } = await gpu.profile(work);
  const each = dispatches.length / times;
  return Array.from(
    { length: times },
    (_, i) => dispatches.slice(i * each, (i + 1) * each).reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  );
}

/** GPU milliseconds of enough runs of what `run` records; it ran before, so that its pipelines are built. */
export async function gpuTimes(gpu: Gpu, run: () => Tensor | readonly Tensor[] | void): Promise<number[]> {
  const runs = (times: number) =>
    timestamps(gpu, times, () => {
      for (let i = 0; i < times; i++) {
        for (const each of [run() ?? []].flat()) each.dispose();
        gpu.flush();
      }
    });
  const [first = 0] = await runs(1);
  return await runs(repeats(first));
}
