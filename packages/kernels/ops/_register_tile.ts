import { type Groups, groups1d } from "../gpu/kernel.ts";

/** Rows and columns of one thread's tile. */
const TILE = 8;
/** Threads of a workgroup. */
const THREADS = 64;

/** How the 64 threads of a workgroup share the columns: as few along N as cover it, the rest along M. */
export function tileThreads(n: number): { THREADS_M: number; THREADS_N: number } {
  const along = 2 ** Math.min(3, Math.ceil(Math.log2(Math.ceil(n / TILE))));
  return { THREADS_M: THREADS / along, THREADS_N: along };
}

/** Workgroups that cover an [M, N] result of each of `batches`. */
export function tileGroups({ m, n, batches }: { m: number; n: number; batches: number }): Groups {
  const { THREADS_M, THREADS_N } = tileThreads(n);
  const [x, y] = groups1d(Math.ceil(m / (TILE * THREADS_M)) * Math.ceil(n / (TILE * THREADS_N)), 1);
  return [x, y, batches];
}
