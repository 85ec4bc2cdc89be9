import { z } from "zod";
import type { Ceilings, Rates } from "./ceilings/ceilings.ts";
import type { Report, ResultRow } from "./report.ts";

/** How far apart the same measurement may be on another day, spread and speed of the machine aside. */
const MARGIN = 0.1;

/** A row of two reports. */
export interface Comparison {
  readonly name: string;
  readonly shape: string;
  readonly before: number;
  readonly now: number;
  /**
   * `now` over `before` as it is, or as if the machine had been as fast both times, whichever is nearer to 1; 1 if one is
   * above and the other below.
   */
  readonly ratio: number;
  /** Ratios in [1 / limit, limit] are noise. */
  readonly limit: number;
  readonly verdict: "slower" | "faster" | "same";
}

/** What of a saved report is compared. */
export type Baseline = z.infer<typeof schema>;

const row = z.object({
  name: z.string(),
  shape: z.string(),
  ms: z.number().positive(),
  low: z.number().positive().optional(), // the first reports kept no quartiles
  high: z.number().positive().optional(),
});

const rates = z.object({ gflops: z.number().positive(), gbytes: z.number().positive() });

const schema = z.object({
  adapter: z.object({ description: z.string(), cores: z.number() }),
  ceilings: rates.extend({ low: rates.optional() }),
  rows: z.array(row),
});

/**
 * Reads what `--json` wrote, to be compared with a run on `adapter`.
 * @throws {Error} if the file is no such report, or one of another adapter
 */
export async function readBaseline(path: string, adapter: Baseline["adapter"]): Promise<Baseline> {
  const refuse = (rule: string) => new Error(`Cannot compare with "${path}": ${rule}`);
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw refuse(`it must be a readable JSON file: ${(error as Error).message}`);
  }
  const { data, error } = schema.safeParse(value);
  if (!data) {
    const [issue] = error.issues;
    throw refuse(`it must be what --json wrote: at "${issue?.path.join(".")}": ${issue?.message}`);
  }
  const shown = ({ description, cores }: Baseline["adapter"]) => `${description} (${cores} cores)`;
  if (shown(data.adapter) !== shown(adapter)) {
    throw refuse(`the adapter must be the same: it was ${shown(data.adapter)}: it is ${shown(adapter)}`);
  }
  return data;
}

/**
 * The rows that both reports have, at the same shape.
 *
 * A row is slower if even the faster quarter of its runs is slower than the slower quarter before, by more than the
 * margin: `low > high_before (1 + margin)`. In terms of the medians' ratio its limit is
 * `(1 + margin) (high / ms)_before (ms / low)_now`; the other way round for faster ones. The limit is wider by how much
 * the ceilings of either run changed while it lasted: what else the machine did then slowed rows down too.
 *
 * @throws {Error} if there is no such row
 */
export function compare(before: Baseline, { ceilings, rows }: Pick<Report, "ceilings" | "rows">): Comparison[] {
  const key = ({ name, shape }: { name: string; shape: string }) => `${name} ${shape}`;
  const old = new Map(before.rows.map((each) => [key(each), each]));
  const comparisons = rows.flatMap((now): Comparison[] => {
    const then = old.get(key(now));
    if (!then) return [];
    const { ms, low = ms, high = ms } = then;
    const plain = now.ms / ms;
    const ratio = nearer(plain, plain * speedup(now, before.ceilings, ceilings));
    const spread = ratio > 1 ? high / ms * (now.ms / now.low) : now.high / now.ms * (ms / low);
    const limit = (1 + MARGIN) * spread * unsteadiness(now, before.ceilings) * unsteadiness(now, ceilings);
    const verdict = ratio > limit ? "slower" : ratio < 1 / limit ? "faster" : "same";
    return [{ name: now.name, shape: now.shape, before: ms, now: now.ms, ratio, limit, verdict }];
  });
  if (comparisons.length === 0) {
    throw new Error("Cannot compare: a row of the same name and shape must be in both reports: none is");
  }
  return comparisons;
}

/** The ratio that says less. */
function nearer(a: number, b: number): number {
  if ((a > 1) !== (b > 1)) return 1;
  return a > 1 ? Math.min(a, b) : Math.max(a, b);
}

/** By which factor what bounds the row changed during a run; 1 if that was not measured. */
function unsteadiness(row: Pick<ResultRow, "gflops" | "gbytes">, { low, ...best }: Ceilings): number {
  return low ? speedup(row, low, best) : 1;
}

/**
 * How many times as fast the machine is `now`, at what bounds the row: memory or arithmetic, whichever lets it do less
 * (the roofline); between the two for what has no rates.
 */
function speedup(
  { gflops, gbytes }: Pick<ResultRow, "gflops" | "gbytes">,
  before: Rates,
  now: Rates,
): number {
  const [arithmetic, memory] = [now.gflops / before.gflops, now.gbytes / before.gbytes];
  if (gbytes === undefined) return Math.sqrt(arithmetic * memory);
  if (gflops === undefined) return memory;
  return gflops / gbytes > now.gflops / now.gbytes ? arithmetic : memory;
}
