import { join } from "node:path";
import { InputError } from "../errors.ts";
import { pathKind, readJson } from "../files/read.ts";
import { FLUX_DEV, type MmditConfig } from "./configs.ts";
import { READABLE } from "../weights/dtypes/dequantize.ts";
import { quote } from "../files/messages.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/**
 * Names of tensors that only one architecture, or one further down, has, in its own and in diffusers' naming, after any
 * prefix.
 */
const SIGNS: readonly (readonly [model: string, name: RegExp])[] = [
  ["FLUX.2", /(^|\.)(double_stream_modulation_img|single_stream_modulation)\./],
  ["Chroma", /(^|\.)distilled_guidance_layer\./],
  ["Qwen-Image", /(^|\.)transformer_blocks\.0\.img_mod\.1\.weight$/],
  ["Z-Image", /(^|\.)cap_pad_token$/],
  ["AuraFlow", /(^|\.)joint_transformer_blocks\.0\./],
  ["Stable Diffusion 3", /(^|\.)joint_blocks\.0\.|(^|\.)pos_embed\.pos_embed$/],
  ["Stable Diffusion XL", /(^|\.)(label_emb\.0\.0|add_embedding\.linear_1)\.weight$/],
  ["Stable Diffusion", /(^|\.)(input_blocks\.0\.0|down_blocks\.0\.resnets\.0\.time_emb_proj)\.weight$/],
];

/** The model that tensors of these names are of, if it is a known one other than FLUX.1. */
export function otherModel(names: ReadonlyMap<string, unknown>): string | undefined {
  const all = [...names.keys()];
  return SIGNS.find(([, sign]) => all.some((name) => sign.test(name)))?.[0];
}

/** The architecture that the metadata of a GGUF file name, if it is not FLUX's. */
export function otherArchitecture({ metadata }: Pick<WeightSource, "metadata">): string | undefined {
  const architecture = metadata["general.architecture"];
  return architecture === "flux" ? undefined : architecture;
}

/** Names of tensors that only a way of quantising has that is not read. */
const QUANTISED: readonly (readonly [kind: string, name: RegExp])[] = [
  ["bitsandbytes", /\.quant_state\.bitsandbytes__/],
  ["SVDQuant", /\.(qweight|wscales)$/],
  ["NVFP4", /\.weight_scale_2$/],
];

/** @throws {InputError} if the file or folder `path`, with tensors of these `names`, is quantised in a way that is not read */
export function refuseOtherQuantisation(path: string, names: ReadonlyMap<string, unknown>): void {
  const all = [...names.keys()];
  const [kind] = QUANTISED.find(([, sign]) => all.some((name) => sign.test(name))) ?? [];
  if (kind === undefined) return;
  throw new InputError(`Cannot load ${quote(path)}: weights must be ${READABLE}: they are quantised by ${kind}`, {
    hint: "GGUF files of Q4_0, Q4_K or Q5_K are as small; convert makes them from the original",
  });
}

const HINT = "FluxSR works with the transformer and the autoencoder of FLUX.1-dev, and models of the same architecture";

/** @throws {InputError} if the file or folder `path`, with tensors of these `names`, is a known model other than FLUX.1 */
export function refuseOtherModels(path: string, names: ReadonlyMap<string, unknown>): void {
  const other = otherModel(names);
  if (other === undefined) return;
  throw new InputError(`Cannot load ${quote(path)}: the model must be FLUX.1: it is ${other}`, { hint: HINT });
}

/** @throws {InputError} if the file says that it is of another architecture than FLUX's */
export function refuseOtherArchitectures(source: Pick<WeightSource, "path" | "metadata">): void {
  const other = otherArchitecture(source);
  if (other === undefined) return;
  throw new InputError(
    `Cannot load ${quote(source.path)}: the model must be FLUX.1: it is of architecture ${quote(other)}`,
    { hint: HINT },
  );
}

/**
 * Of any model that diffusers saved, the pipeline's class in model_index.json tells what it is: FluxPipeline,
 * FluxKontextPipeline, ..., but Flux2Pipeline, StableDiffusionXLPipeline, ... A folder without that file may be anything.
 *
 * @throws {InputError} if folder `dir` is of a pipeline other than FLUX.1's
 */
export async function refuseOtherPipelines(dir: string): Promise<void> {
  const path = join(dir, "model_index.json");
  if (await pathKind(path) === "none") return;
  const index = await readJson(path) as { _class_name?: unknown } | null;
  const name = index?._class_name;
  if (typeof name !== "string" || /^Flux(?!2)/.test(name)) return;
  throw new InputError(`Cannot open model ${quote(dir)}: the model must be FLUX.1: it is of a ${name}`, { hint: HINT });
}

/**
 * FLUX.1-schnell has FLUX.1-dev's shapes without its guidance. Its velocities are others, so that a LoRA or settings for
 * FLUX.1-dev would run on it and spoil pictures.
 *
 * @throws {InputError} if a transformer of these sizes, from `path`, is FLUX.1-schnell
 */
export function refuseSchnell(path: string, { guidance_embed, hidden_size }: MmditConfig): void {
  if (guidance_embed || hidden_size !== FLUX_DEV.hidden_size) return;
  const state = `it is FLUX.1-schnell, ${FLUX_DEV.hidden_size} wide without a guidance embedding`;
  throw new InputError(`Cannot load ${quote(path)}: the model must be FLUX.1-dev: ${state}`, {
    hint: "FluxSR's adapters are trained on FLUX.1-dev: download that, black-forest-labs/FLUX.1-dev",
  });
}
