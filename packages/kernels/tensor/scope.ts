import { AsyncLocalStorage } from "node:async_hooks";
import type { Gpu } from "../gpu/gpu.ts";

/** What a scope owns: a tensor, of which it knows no more than this. */
export interface Owned {
  readonly gpu: Gpu;
  /** What its scope has made, as long as the scope owns it. */
  scope: Set<Owned> | undefined;
  /** Drops the handle that the scope holds. */
  release(): void;
}

/** What a scope hands on: one tensor or several. */
type Kept = Owned | readonly Owned[] | Readonly<Record<string, Owned>> | void;

/** An open scope and those around it. */
interface Scope {
  readonly gpu: Gpu;
  readonly made: Set<Owned>;
  readonly outer: Scope | undefined;
}

/** The innermost scope of what is running: jobs that wait in turns each have their own. */
const innermost = new AsyncLocalStorage<Scope | undefined>();

/** Registers a new tensor with the innermost open scope of its GPU, if there is one. */
export function adopt(tensor: Owned): void {
  let scope = innermost.getStore();
  while (scope && scope.gpu !== tensor.gpu) scope = scope.outer;
  scope?.made.add(tensor);
  tensor.scope = scope?.made;
}

/** Takes a tensor out of its scope: from then on it has an owner who disposes it. */
export function abandon(tensor: Owned): void {
  tensor.scope?.delete(tensor);
  tensor.scope = undefined;
}

/**
 * Runs `body` and disposes every tensor made in it except those it returns, which go to the enclosing scope.
 * `body` is synchronous: it only records work.
 */
export function scoped<T extends Kept>(gpu: Gpu, body: () => T): T {
  const made = new Set<Owned>();
  let result: T | undefined;
  try {
    return result = innermost.run({ gpu, made, outer: innermost.getStore() }, body);
  } finally {
    close(made, result);
  }
}

/**
 * Runs `body`, which may wait, and disposes every tensor made until it ends except those it returns, also if it fails:
 * nothing of a job that ran out of memory is left. What runs in between, but not for `body`, keeps its own.
 */
export async function scopedAsync<T>(gpu: Gpu, body: () => Promise<T>): Promise<T> {
  const made = new Set<Owned>();
  let result: T | undefined;
  try {
    return result = await innermost.run({ gpu, made, outer: innermost.getStore() }, body);
  } finally {
    close(made, result);
  }
}

/** Ends a scope that has made `made`, outside it: what is in `result` is kept. */
function close(made: ReadonlySet<Owned>, result: unknown): void {
  const kept = new Set<unknown>(Array.isArray(result) ? result : [result, ...Object.values(result ?? {})]);
  for (const tensor of made) {
    if (kept.has(tensor)) adopt(tensor);
    else {
      tensor.scope = undefined;
      tensor.release();
    }
  }
}
