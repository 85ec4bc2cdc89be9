import type { Gpu } from "@fluxsr/kernels";
import { copyCeiling } from "./copy.ts";
import { fmaCeiling } from "./fma.ts";

/** Rates of an adapter: multiply-adds in registers, GFLOP/s, and a copy, GB/s. */
export interface Rates {
  readonly gflops: number;
  readonly gbytes: number;
}

/** What the adapter can do at best, measured. */
export interface Ceilings extends Rates {
  /** The worse of two measurements, one before and one after the rows. The first reports had only one. */
  readonly low?: Rates | undefined;
}

/** Each twice, the better counts: a processor that was idle needs a second to reach its clock. */
export async function measureCeilings(gpu: Gpu): Promise<Rates> {
  const first = { gflops: await fmaCeiling(gpu), gbytes: await copyCeiling(gpu) };
  const second = { gflops: await fmaCeiling(gpu), gbytes: await copyCeiling(gpu) };
  return both(first, second, Math.max);
}

/** The ceilings of a run, from what was measured before and after it: other work on the machine slows either down. */
export function ceilingsOf(before: Rates, after: Rates): Ceilings {
  return { ...both(before, after, Math.max), low: both(before, after, Math.min) };
}

function both(a: Rates, b: Rates, choose: (a: number, b: number) => number): Rates {
  return { gflops: choose(a.gflops, b.gflops), gbytes: choose(a.gbytes, b.gbytes) };
}
