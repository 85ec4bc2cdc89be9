import type { WeightSource } from "@fluxsr/core";
import type { GoldenCase, Tolerance } from "./case.ts";
import { compare, type Comparison, type Group } from "./compare.ts";

/** Compares all tensors of two sources that should have the same names, shapes and values. */
export async function compareWeights(
  actual: WeightSource,
  expected: WeightSource,
  tolerance: Tolerance,
): Promise<Group> {
  const comparisons: Comparison[] = [];
  for (const [name, { shape }] of expected.tensors) {
    const found = actual.tensors.get(name)?.shape;
    const isSame = found?.length === shape.length && shape.every((size, i) => size === found[i]);
    if (found && !isSame) {
      comparisons.push({ name, error: NaN, bound: 0, problem: `[${found.join(", ")}] for [${shape.join(", ")}]` });
      continue;
    }
    const values = { actual: found && await actual.readF32(name), expected: await expected.readF32(name) };
    comparisons.push(compare(name, values, tolerance));
  }
  for (const name of actual.tensors.keys()) {
    if (!expected.tensors.has(name)) comparisons.push({ name, error: NaN, bound: 0, problem: "should not be there" });
  }
  return { name: "weights", comparisons };
}

/** The file of a `*-diffusers-names` case that holds the weights. */
export function weightsFile(golden: GoldenCase): string {
  return golden.path(golden.files.find((file) => file.endsWith(".safetensors")) ?? "weights.diffusers.safetensors");
}
