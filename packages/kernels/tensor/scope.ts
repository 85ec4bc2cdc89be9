import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "./tensor.ts";

/** What a scope hands on: one tensor or several. */
type Kept = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>> | void;

const scopes = new WeakMap<Gpu, Set<Tensor>[]>();

/** Registers a new tensor with the innermost open scope of its GPU, if there is one. */
export function adopt(tensor: Tensor): void {
  scopes.get(tensor.gpu)?.at(-1)?.add(tensor);
}

/** Takes a tensor that its owner disposes out of its scope. */
export function abandon(tensor: Tensor): void {
  for (const scope of scopes.get(tensor.gpu) ?? []) scope.delete(tensor);
}

/**
 * Runs `body` and disposes every tensor made in it except those it returns, which go to the enclosing scope.
 * `body` is synchronous: it only records work.
 */
export function scoped<T extends Kept>(gpu: Gpu, body: () => T): T {
  const stack = scopes.get(gpu) ?? [];
  scopes.set(gpu, stack);
  const made = new Set<Tensor>();
  stack.push(made);
  let kept = new Set<unknown>();
  try {
    const result = body();
    kept = new Set(Array.isArray(result) ? result : [result, ...Object.values(result ?? {})]);
    return result;
  } finally {
    stack.pop();
    for (const tensor of made) {
      if (kept.has(tensor)) adopt(tensor);
      else tensor.release();
    }
  }
}
