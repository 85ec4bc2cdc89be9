/** The small text encoders of golden/, and what transformers says of them. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";

/** A folder with the text encoders and tokenisers, as in a model folder. */
export const GOLDEN: string = fileURLToPath(new URL("golden", import.meta.url));

/** Copies the text encoders and tokenisers into `folder`, and returns that. */
export function withTextEncoders(folder: string): string {
  for (const part of ["text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"]) {
    Deno.mkdirSync(join(folder, part));
    for (const { name } of Deno.readDirSync(join(GOLDEN, part))) {
      Deno.copyFileSync(join(GOLDEN, part, name), join(folder, part, name));
    }
  }
  return folder;
}

/** The most tokens of the texts in {@linkcode EXPECTED}. */
export const MAX_TOKENS = 40;

/** What transformers' tokenisers and T5's buckets are. */
export const EXPECTED: {
  readonly tokens: readonly { readonly text: string; readonly clip: number[]; readonly t5: number[] }[];
  readonly "buckets_of_-300_to_300": Readonly<Record<string, number[]>>;
} = JSON.parse(Deno.readTextFileSync(`${GOLDEN}/expected.json`));

/** A tensor of golden/expected.safetensors. */
export async function expectedTensor(name: string): Promise<{ values: Float32Array; shape: readonly number[] }> {
  using source = await openWeights(`${GOLDEN}/expected.safetensors`);
  return { values: await source.readF32(name), shape: source.tensors.get(name)!.shape };
}

/**
 * The largest difference to values of f64, relative to the largest of them: sums of f32 in another order. At most
 * 5e-7 was seen on lavapipe.
 */
export const TOLERANCE = 1e-5;
