import type { Gpu } from "../gpu/gpu.ts";

/** What a scope owns: a tensor, of which it knows no more than this. */
interface Owned {
  readonly gpu: Gpu;
  /** Drops the handle that the scope holds. */
  release(): void;
}

/** What a scope hands on: one tensor or several. */
type Kept = Owned | readonly Owned[] | Readonly<Record<string, Owned>> | void;

const scopes = new WeakMap<Gpu, Set<Owned>[]>();

/** Registers a new tensor with the innermost open scope of its GPU, if there is one. */
export function adopt(tensor: Owned): void {
  scopes.get(tensor.gpu)?.at(-1)?.add(tensor);
}

/** Takes a tensor out of its scope: from then on it has an owner who disposes it. */
export function abandon(tensor: Owned): void {
  for (const scope of scopes.get(tensor.gpu) ?? []) scope.delete(tensor);
}

/**
 * Runs `body` and disposes every tensor made in it except those it returns, which go to the enclosing scope.
 * `body` is synchronous: it only records work.
 */
export function scoped<T extends Kept>(gpu: Gpu, body: () => T): T {
  const made = open(gpu);
  let kept = new Set<unknown>();
  try {
    const result = body();
    kept = new Set(Array.isArray(result) ? result : [result, ...Object.values(result ?? {})]);
    return result;
  } finally {
    close(gpu, made, kept);
  }
}

/**
 * Runs `body`, which may wait, and disposes every tensor made until it ends except those it returns, also if it fails:
 * nothing of a job that ran out of memory is left. Only one such job at a time may use `gpu`.
 */
export async function scopedAsync<T>(gpu: Gpu, body: () => Promise<T>): Promise<T> {
  const made = open(gpu);
  let kept = new Set<unknown>();
  try {
    const result = await body();
    kept = new Set(Array.isArray(result) ? result : [result, ...Object.values(result ?? {})]);
    return result;
  } finally {
    close(gpu, made, kept);
  }
}

function open(gpu: Gpu): Set<Owned> {
  const stack = scopes.get(gpu) ?? [];
  scopes.set(gpu, stack);
  const made = new Set<Owned>();
  stack.push(made);
  return made;
}

function close(gpu: Gpu, made: Set<Owned>, kept: ReadonlySet<unknown>): void {
  const stack = scopes.get(gpu) ?? [];
  stack.splice(stack.indexOf(made), 1);
  for (const tensor of made) {
    if (kept.has(tensor)) adopt(tensor);
    else tensor.release();
  }
}
