import { closest } from "fastest-levenshtein";
import { InputError } from "../errors.ts";
import type { MmditConfig } from "../model_folder/configs.ts";
import { quote } from "../files/messages.ts";
import { lazyAdapter, type LoraAdapter } from "./adapter.ts";
import { moduleShapes } from "./module_shapes.ts";

/** Attention and MLP of all blocks; tools that convert LoRA files trip on modulation and on the final layer. */
const DEFAULT_TARGETS = [
  "img_attn.qkv",
  "img_attn.proj",
  "img_mlp.0",
  "img_mlp.2",
  "txt_attn.qkv",
  "txt_attn.proj",
  "txt_mlp.0",
  "txt_mlp.2",
  "linear1",
  "linear2",
];

/**
 * The linear modules of a transformer, by BFL name, whose names are or end with one of `targets`, e.g. `img_attn.qkv` or
 * `double_blocks.0.img_mlp.0`; by default attention and MLP of all blocks.
 *
 * @throws {InputError} if no module has such a name
 */
export function loraTargets(config: MmditConfig, targets?: readonly string[]): string[] {
  const names = [...moduleShapes(config).keys()];
  const isMeant = (name: string, target: string) => name === target || name.endsWith(`.${target}`);
  const missing = targets?.find((target) => !names.some((name) => isMeant(name, target)));
  if (missing !== undefined) {
    const endings = names.flatMap((name) => name.split(".").map((_, i, parts) => parts.slice(i).join(".")));
    throw new InputError(
      `Cannot choose LoRA targets: the model must have a linear module ${quote(missing)}: it has none`,
      {
        hint: `did you mean ${quote(closest(missing, endings))}?`,
      },
    );
  }
  return names.filter((name) => (targets ?? DEFAULT_TARGETS).some((target) => isMeant(name, target)));
}

/** Options of {@linkcode createLora}. */
export interface CreateLoraOptions {
  /** As in {@linkcode loraTargets}. */
  readonly targets?: readonly string[] | undefined;
  readonly rank: number;
  /** The source of standard normal numbers for a module. */
  readonly random: (module: string) => { normal(): number };
}

/**
 * Adapters that change nothing yet, by BFL name: A is normal with standard deviation 1 / rank, B is 0. So PEFT begins with
 * `init_lora_weights="gaussian"` (huggingface/peft src/peft/tuners/lora/layer.py, `reset_lora_parameters`).
 *
 * @throws {InputError} if there is no such target
 */
export function createLora(
  config: MmditConfig,
  { targets, rank, random }: CreateLoraOptions,
): Map<string, LoraAdapter> {
  const shapes = moduleShapes(config);
  return new Map(
    loraTargets(config, targets).map((module) => {
      const [out, inner] = shapes.get(module)!;
      const a = () => {
        const source = random(module);
        return Float32Array.from({ length: rank * inner }, () => source.normal() / rank);
      };
      const sizes = { rank, in: inner, out, scale: 1 };
      return [module, lazyAdapter(sizes, { a, b: () => new Float32Array(out * rank) })];
    }),
  );
}
