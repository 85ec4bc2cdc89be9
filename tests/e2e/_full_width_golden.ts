/** What PyTorch makes of the model of full_width.test.ts, see golden/README.md, and the inputs that it was given. */
import { type AdapterFolder, hashBits, openWeights } from "@fluxsr/core";
import { sizeOf } from "@fluxsr/kernels";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { passed } from "../../packages/cli/golden/compare.ts";
import { compareStats } from "../../packages/cli/golden/gradient_stats.ts";
import { writeSafetensors } from "../../packages/core/weights/safetensors/safetensors.ts";
import { scaledError } from "../helpers/gpu.ts";

const EXPECTED = fileURLToPath(new URL("golden/expected.safetensors", import.meta.url));

/**
 * The largest difference to values of f64, relative to the largest of them, and of the signed sum relative to the sum of
 * magnitudes. At most 2.6e-6 was seen on lavapipe; one of the 128 scales of a norm of keys taken as 1, or one bias of
 * a decoder's convolution block as 0, is 2e-4.
 */
const TOLERANCE = 1e-5;

/** The latents of 16 x 16 tokens. */
export const LATENTS = uniform(1, [1, 32, 32, 16]).map((value) => 2 * value);

/** The low-resolution picture, enlarged; not square, so that rows are not columns. */
export const PICTURE = { values: uniform(4, [1, 32, 48, 3]), shape: [1, 32, 48, 3] } as const;

/** Text and settings as of an adapter without weights. */
export const TEXT: Required<Pick<AdapterFolder, "conditioning" | "settings">> = {
  conditioning: { txt: uniform(2, [5, 4096]), txt_shape: [5, 4096], y: uniform(3, [768]) },
  settings: { T_L: 0.25, guidance: 3.5 },
};

/** Outputs and inputs of the adapted layers, in diffusers' naming. */
const ADAPTED = {
  "x_embedder": [3072, 64],
  "transformer_blocks.0.norm1.linear": [18432, 3072],
  "transformer_blocks.0.attn.to_q": [3072, 3072],
  "transformer_blocks.0.attn.to_v": [3072, 3072],
  "transformer_blocks.0.attn.add_k_proj": [3072, 3072],
  "transformer_blocks.0.ff.net.2": [3072, 12288],
  "single_transformer_blocks.0.attn.to_k": [3072, 3072],
  "single_transformer_blocks.0.proj_mlp": [12288, 3072],
  "single_transformer_blocks.0.proj_out": [3072, 15360],
} as const;

const RANK = 4;

/** Writes the LoRA, whose products are about as large as the weights, into `folder`; returns its path. */
export async function writeLora(folder: string): Promise<string> {
  const path = join(folder, "lora.safetensors");
  const factor = (values: Float32Array<ArrayBuffer>, shape: readonly number[]) =>
    ({ dtype: "F32", shape, bytes: new Uint8Array(values.buffer) }) as const;
  const tensors = Object.entries(ADAPTED).flatMap(([name, [outputs, inputs]], i) => {
    const a = uniform(8 + 2 * i, [RANK, inputs]).map((value) => value / 32);
    const b = uniform(9 + 2 * i, [outputs, RANK]);
    return [
      [`transformer.${name}.lora_A.weight`, factor(a, [RANK, inputs])] as const,
      [`transformer.${name}.lora_B.weight`, factor(b, [outputs, RANK])] as const,
    ];
  });
  await writeSafetensors(path, tensors);
  return path;
}

/** Asserts that `values` are those that PyTorch has of this name: in full by their sums, and about 512 of them. */
export async function expectGolden(name: string, values: Float32Array): Promise<void> {
  using source = await openWeights(EXPECTED);
  const [sample, stats] = [await source.readF32(name), await source.readF32(`${name}@stats`)];
  const stride = Math.max(1, Math.floor(values.length / 512)) | 1;
  const error = scaledError(values.filter((_, i) => i % stride === 0), sample);
  const sums = compareStats(name, { actual: Float32Array.from(values), expected: stats, isZero: false }, {
    rtol: TOLERANCE,
    atol: 0,
  });
  expect([name, error < TOLERANCE, ...sums.map(passed)]).toEqual([name, true, true, true, true, true]);
}

/** Values in [-1, 1) for input `number`: a hash of their place, which PyTorch's side computes too. */
function uniform(number: number, shape: readonly number[]): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => (hashBits(number * 2 ** 20 + i) >>> 8) / 2 ** 23 - 1);
}
