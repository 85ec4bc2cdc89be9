import type { Gpu } from "@fluxsr/kernels";
import type { GoldenCase } from "./case.ts";
import type { Group } from "./compare.ts";

/** What came out of a case. */
export interface Outcome {
  readonly groups: readonly Group[];
  /** Parts of the case that are not computed. */
  readonly skipped: readonly string[];
}

/** Computes what a case of one kind lists, and compares it. */
export type Handler = (golden: GoldenCase, gpu: Gpu) => Promise<Outcome>;
