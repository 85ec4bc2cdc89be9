import type { Gpu, Tensor } from "@fluxsr/kernels";

/** Runs of a shape: at least so many, then as many as fit into the time, but not more than enough. */
const RUNS = { least: 5, most: 200, milliseconds: 1000 };

/** Runs before those that are timed: a card takes so long to raise its clock from idle. */
const WARM_UP = { least: 1, most: 200, milliseconds: 300 };

/** How long equal runs took: the median in milliseconds, and the quartiles around it. */
export interface Times {
  readonly runs: number;
  readonly ms: number;
  readonly low: number;
  readonly high: number;
}

/** The value that `share` (0..1) of the others are below; between two neighbours, on the line from one to the other. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below = NaN, above = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at % 1);
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** What a report keeps of the milliseconds of equal runs. */
export function summary(times: readonly number[]): Times {
  return { runs: times.length, ms: median(times), low: quantile(times, 0.25), high: quantile(times, 0.75) };
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

/** What an op gives; it is timed, not looked at. */
type Run = () => Tensor | readonly Tensor[] | void;

/** GPU milliseconds of `times` runs of what `run` records. */
function timesOf(gpu: Gpu, times: number, run: Run): Promise<number[]> {
  return timestamps(gpu, times, () => {
    for (let i = 0; i < times; i++) {
      for (const each of [run() ?? []].flat()) each.dispose();
      gpu.flush();
    }
  });
}

/** GPU milliseconds of enough runs of what `run` records; it ran before, so that its pipelines are built. */
export async function gpuTimes(gpu: Gpu, run: Run, enough = RUNS): Promise<number[]> {
  const [first = 0] = await timesOf(gpu, 1, run);
  return await timesOf(gpu, repeats(first, enough), run);
}

/** Keeps a card busy until its clock is up: it idles while the processor checks what it has computed. */
export async function warmUp(gpu: Gpu, run: Run): Promise<void> {
  if (!gpu.adapter.software) await gpuTimes(gpu, run, WARM_UP);
}
