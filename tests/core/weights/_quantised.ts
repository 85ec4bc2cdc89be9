import { fileURLToPath } from "node:url";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import type { StoredTensor } from "../../../packages/core/weights/weight_source.ts";

/** A file of tests/fixtures/quantised; its make.py says how they were made. */
export function fixture(name: "blocks.gguf" | "expected.safetensors"): string {
  return fileURLToPath(new URL(`../../fixtures/quantised/${name}`, import.meta.url));
}

/** Tensor `name` of blocks.gguf as it is stored, and the values that ggml's own Python package finds in it. */
export async function quantised(name: string): Promise<StoredTensor & { readonly values: Float32Array }> {
  using stored = await openWeights(fixture("blocks.gguf"));
  return { ...await stored.read(name), values: await expectedValues(name) };
}

/** Tensor `name` of expected.safetensors. */
export async function expectedValues(name: string): Promise<Float32Array> {
  using expected = await openWeights(fixture("expected.safetensors"));
  return await expected.readF32(name);
}
