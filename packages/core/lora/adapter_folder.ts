import { join } from "node:path";
import { InputError } from "../errors.ts";
import type { LoraAdapter } from "./adapter.ts";
import { readLora } from "./lora_file.ts";
import { listFiles, pathKind, readJson } from "../files/read.ts";
import { checkFinite } from "../weights/check.ts";
import type { Conditioning } from "../model_folder/conditioning.ts";
import type { MmditConfig } from "../model_folder/configs.ts";
import { JsonFields } from "../files/json_fields.ts";
import { quote, showNames, showShape } from "../files/messages.ts";
import type { ModelSettings } from "../model_folder/model_settings.ts";
import { openWeights } from "../weights/open_weights.ts";

/** What an adapter brings: a LoRA, and in a folder the text and the settings that it was trained with. */
export interface AdapterFolder {
  /** By BFL module name. */
  readonly adapters: ReadonlyMap<string, LoraAdapter>;
  readonly conditioning?: Conditioning;
  /** In place of the model's own. */
  readonly settings: Partial<Pick<ModelSettings, "T_L" | "guidance">>;
  /** What the user should know, a line each. */
  readonly notes: readonly string[];
}

/** The files of an adapter's folder: the LoRA, as diffusers calls it, and what it was trained with. */
export const ADAPTER_FILES = { lora: "pytorch_lora_weights.safetensors", config: "training_config.json" } as const;
const { lora: LORA, config: CONFIG } = ADAPTER_FILES;

/** The keys of training_config.json that are read, by setting; the first that is there counts. */
const KEYS = { T_L: ["T_L", "t_L", "t_l"], guidance: ["guidance", "guidance_scale"] } as const;

/**
 * Reads the adapter at `path` for the transformer of `config`: a LoRA file, or a folder in the shape of FluxSR's public
 * release: `pytorch_lora_weights.safetensors` (or one LoRA of another name), and optionally the fixed text as
 * `t5_embedding` [1?, T, context_in_dim] and `clip_embedding` [1?, vec_in_dim], each .safetensors, .pth or .pt with one
 * such tensor of any name, and `training_config.json`, of which `T_L` and `guidance` (or `guidance_scale`) are read.
 *
 * @throws {InputError} if a file cannot be used or does not fit the model, or only one of the embeddings is there
 */
export async function openAdapter(path: string, config: MmditConfig): Promise<AdapterFolder> {
  const isFolder = await pathKind(path) === "folder";
  using source = await openWeights(isFolder ? await loraFile(path) : path);
  const { adapters, ignored: textKeys } = await readLora(source, config);
  const ofLora = textKeys.length > 0 ? [`LoRA: ${textKeys.length} tensors of text encoders are not used`] : [];
  if (!isFolder) return { adapters, settings: {}, notes: ofLora };
  const conditioning = await readText(path, config);
  const { settings, ignored } = await readTrainingConfig(join(path, CONFIG));
  const ofConfig = ignored.length > 0 ? [`${CONFIG}: keys that are not used: ${showNames(ignored)}`] : [];
  return { adapters, ...(conditioning && { conditioning }), settings, notes: [...ofLora, ...ofConfig] };
}

async function loraFile(folder: string): Promise<string> {
  const names = (await listFiles(folder, ".safetensors")).filter((name) => !/^(t5|clip)_embedding\./.test(name));
  const [name] = names.includes(LORA) ? [LORA] : names;
  if (name !== undefined && (name === LORA || names.length === 1)) return join(folder, name);
  const state = names.length === 0 ? "it has none" : `it has ${showNames(names)}`;
  throw new InputError(`Cannot open adapter ${quote(folder)}: folder must have one LoRA: ${state}`, {
    hint: `an adapter folder has ${LORA}, and may have t5_embedding, clip_embedding and ${CONFIG}`,
  });
}

/** The fixed text of the adapter in `folder`, if it has one. */
async function readText(folder: string, config: MmditConfig): Promise<Conditioning | undefined> {
  const t5 = await embeddingFile(folder, "t5_embedding"), clip = await embeddingFile(folder, "clip_embedding");
  if (!t5 && !clip) return undefined;
  if (!t5 || !clip) {
    const state = `there is no ${t5 ? "clip" : "t5"}_embedding`;
    throw new InputError(`Cannot open adapter ${quote(folder)}: text must have both embeddings: ${state}`);
  }
  const txt = await readEmbedding(t5, [undefined, config.context_in_dim]);
  const y = await readEmbedding(clip, [config.vec_in_dim]);
  return { txt: txt.values, txt_shape: [txt.shape[0]!, config.context_in_dim], y: y.values };
}

async function embeddingFile(folder: string, stem: string): Promise<string | undefined> {
  for (const extension of [".safetensors", ".pth", ".pt"]) {
    const path = join(folder, stem + extension);
    if (await pathKind(path) === "file") return path;
  }
  return undefined;
}

/** The one tensor of the file that has the `wanted` sizes (undefined: any above 0), with or without a leading 1. */
async function readEmbedding(path: string, wanted: readonly (number | undefined)[]) {
  using source = await openWeights(path);
  const fitting = [...source.tensors].flatMap(([name, { shape }]) => {
    const inner = shape.length === wanted.length + 1 && shape[0] === 1 ? shape.slice(1) : shape;
    const fits = inner.length === wanted.length && inner.every((size, i) => size > 0 && size === (wanted[i] ?? size));
    return fits ? [{ name, shape: inner }] : [];
  });
  const [found] = fitting;
  if (!found || fitting.length > 1) {
    const sizes = `[${wanted.map((size) => size ?? "T").join(", ")}]`;
    const state = found
      ? `${showNames(fitting.map(({ name }) => name))} are`
      : [...source.tensors.values()].slice(0, 3).map(({ shape }) => showShape(shape)).join(", ");
    throw new InputError(
      `Cannot load ${quote(path)}: one tensor must be ${sizes}, as the model needs: file has ${state}`,
    );
  }
  const values = await source.readF32(found.name);
  checkFinite(found.name, values, { path });
  return { values, shape: found.shape };
}

async function readTrainingConfig(path: string): Promise<{ settings: AdapterFolder["settings"]; ignored: string[] }> {
  if (await pathKind(path) === "none") return { settings: {}, ignored: [] };
  const json = await readJson(path);
  const fields = new JsonFields(path, json);
  const keyOf = (setting: keyof typeof KEYS) => KEYS[setting].find((key) => fields.has(key));
  const time = keyOf("T_L"), guidance = keyOf("guidance");
  const settings = {
    ...(time && { T_L: fields.number(time, { rule: "above 0 and at most 1", isGood: (t) => t > 0 && t <= 1 }) }),
    ...(guidance && { guidance: fields.number(guidance, { rule: "at least 0", isGood: (g) => g >= 0 }) }),
  };
  return { settings, ignored: Object.keys(json as object).filter((key) => key !== time && key !== guidance) };
}
