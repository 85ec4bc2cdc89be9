import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "./tensor.ts";

/** What a scope hands on: one tensor or several. */
type Kept = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>> | void;

const scopes = new WeakMap<Gpu, Set<Tensor>[]>();

/** Registers a new tensor with the innermost open scope of its GPU, if there is one. */
export function adopt(tensor: Tensor): void {
  scopes.get(tensor.gpu)?.at(-1)?.add(tensor);
}

/** Takes a tensor out of its scope: from then on it has an owner who disposes it. */
export function abandon(tensor: Tensor): void {
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

function open(gpu: Gpu): Set<Tensor> {
  const stack = scopes.get(gpu) ?? [];
  scopes.set(gpu, stack);
  const made = new Set<Tensor>();
  stack.push(made);
  return made;
}

function close(gpu: Gpu, made: Set<Tensor>, kept: ReadonlySet<unknown>): void {
  const stack = scopes.get(gpu) ?? [];
  stack.splice(stack.indexOf(made), 1);
  for (const tensor of made) {
    if (kept.has(tensor)) adopt(tensor);
    else tensor.release();
  }
}
