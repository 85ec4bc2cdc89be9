import type { Gpu } from "../gpu/gpu.ts";
import { type Groups, groups1d } from "../gpu/kernel.ts";
import sum from "./_team_sum.wgsl" with { type: "text" };

/** Threads of a workgroup and of a team, for kernels in which each row is one team's. */
export interface Team {
  readonly team: number;
  readonly workgroup: number;
}

/** The chunk with `team_sum`. */
export const teamSum = sum;

/**
 * The teams that suit the adapter, for rows of `elements`. Neighbouring threads of a GPU must read neighbouring memory; to
 * a software adapter every thread's read costs the same, so that what a team says to each other is all waste.
 */
export function teamOf(gpu: Gpu, elements: number): Team {
  if (gpu.adapter.software) return { team: 1, workgroup: 8 };
  return { team: Math.min(64, 2 ** Math.floor(Math.log2(elements))), workgroup: 64 };
}

/** Workgroups for a team a row. */
export function teamGroups({ team, workgroup }: Team, rows: number): Groups {
  return groups1d(rows, workgroup / team);
}

/**
 * Rows that a thread goes along in kernels that go down columns: few enough for processors to foresee what is read next
 * (on llvmpipe 16 in three arrays take twice as long as 8); on a GPU there are fewer parts to add up.
 */
export function stripOf({ adapter }: Gpu): number {
  return adapter.software ? 8 : 16;
}
