import type { MmditConfig } from "../model_folder/configs.ts";
import { diffusersModules } from "../model_folder/diffusers_modules.ts";
import { fromF32, type WeightDtype } from "../weights/dtypes/dtype.ts";
import { quote } from "../files/messages.ts";
import { type TensorData, writeSafetensors } from "../weights/safetensors/safetensors.ts";
import type { LoraAdapter } from "./adapter.ts";
import { swapHalves } from "./fuse_adapters.ts";
import { modulePlaces } from "./module_places.ts";

/**
 * Writes adapters, by BFL name, for the transformer of `config` as diffusers saves them, so that diffusers, ComfyUI and
 * this project read them: `transformer.<diffusers module>.lora_A.weight` [rank, in] and `.lora_B.weight` [out, rank].
 *
 * The parts of a BFL module (q, k, v, mlp) each get its A and their rows of B. The scale goes into B: some readers take
 * alpha from the metadata, others suppose that it is the rank, so it is. The file is whole or not there.
 *
 * @throws {RangeError} if the model has no linear module of that name
 * @throws {InputError} if the file cannot be written
 */
export async function writeLora(
  path: string,
  adapters: ReadonlyMap<string, LoraAdapter>,
  { config, dtype }: { config: MmditConfig; dtype: WeightDtype },
): Promise<void> {
  const parts = [...diffusersParts(adapters, config)];
  const written = new Set(parts.map(({ module }) => module));
  const unknown = [...adapters.keys()].find((module) => !written.has(module));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot write a LoRA: the network has no linear layer ${quote(unknown)}`);
  }
  const tensors = parts.flatMap(({ name, a, b, rank }): [string, TensorData][] => [
    [`transformer.${name}.lora_A.weight`, { dtype, shape: [rank, a.length / rank], bytes: fromF32(a, dtype) }],
    [`transformer.${name}.lora_B.weight`, { dtype, shape: [b.length / rank, rank], bytes: fromF32(b, dtype) }],
  ]);
  const ranks = parts.map(({ name, rank }) => [name, rank] as const);
  const metadata = { format: "pt", lora_adapter_metadata: JSON.stringify(peftConfig(ranks)) };
  await writeSafetensors(path, tensors, { metadata });
}

/** An adapter of a diffusers module, of scale 1, and the BFL module that it is of. */
interface Part {
  readonly name: string;
  readonly module: string;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rank: number;
}

function* diffusersParts(adapters: ReadonlyMap<string, LoraAdapter>, config: MmditConfig): Generator<Part> {
  const places = modulePlaces(config);
  for (const [name, { module }] of diffusersModules(config.depth, config.depth_single_blocks)) {
    const place = places.get(name), adapter = adapters.get(module);
    if (!place || !adapter) continue;
    const { a, b, rank, scale } = place.swapHalves ? swapHalves(adapter) : adapter;
    const rows = b.subarray(place.row * rank, (place.row + place.out) * rank);
    yield { name, module, a, b: rows.map((value) => scale * value), rank };
  }
}

/** PEFT's LoraConfig for modules of these ranks, each with alpha = rank, under the keys that diffusers gives it. */
function peftConfig(ranks: readonly (readonly [name: string, rank: number])[]): Record<string, unknown> {
  const [first] = ranks;
  const rank = first?.[1];
  const isMixed = ranks.some(([, own]) => own !== rank);
  // Names are taken as endings, the first that fits counts: those outside the blocks ("proj_out"), which are short, last.
  const pattern = Object.fromEntries(isMixed ? ranks.toReversed() : []);
  return {
    "transformer.r": rank,
    "transformer.lora_alpha": rank,
    "transformer.target_modules": ranks.map(([name]) => name),
    // diffusers 0.34 fails if there is no pattern, even an empty one.
    "transformer.rank_pattern": pattern,
    "transformer.alpha_pattern": pattern,
  };
}
