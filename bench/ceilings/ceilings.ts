import type { Gpu } from "@fluxsr/kernels";
import { copyCeiling } from "./copy.ts";
import { fmaCeiling } from "./fma.ts";

/** What the adapter can do at best, measured. */
export interface Ceilings {
  readonly gflops: number;
  readonly gbytes: number;
}

/** Each twice, the better counts: a processor that was idle needs a second to reach its clock. */
export async function measureCeilings(gpu: Gpu): Promise<Ceilings> {
  const first = { gflops: await fmaCeiling(gpu), gbytes: await copyCeiling(gpu) };
  const second = { gflops: await fmaCeiling(gpu), gbytes: await copyCeiling(gpu) };
  return { gflops: Math.max(first.gflops, second.gflops), gbytes: Math.max(first.gbytes, second.gbytes) };
}
