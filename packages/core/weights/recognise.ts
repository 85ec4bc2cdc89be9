import { InputError } from "../errors.ts";
import { FLUX_DEV, type MmditConfig } from "./configs.ts";
import { quote } from "./messages.ts";

/** Names of tensors that only one architecture has, in its own and in diffusers' naming, after any prefix. */
const SIGNS: readonly (readonly [model: string, name: RegExp])[] = [
  ["FLUX.2", /(^|\.)(double_stream_modulation_img|single_stream_modulation)\./],
  ["Chroma", /(^|\.)distilled_guidance_layer\./],
  ["Qwen-Image", /(^|\.)transformer_blocks\.0\.img_mod\.1\.weight$/],
  ["Z-Image", /(^|\.)cap_pad_token$/],
  ["Stable Diffusion 3", /(^|\.)joint_blocks\.0\.|(^|\.)pos_embed\.pos_embed$/],
  ["Stable Diffusion XL", /(^|\.)(label_emb\.0\.0|add_embedding\.linear_1)\.weight$/],
  ["Stable Diffusion", /(^|\.)(input_blocks\.0\.0|down_blocks\.0\.resnets\.0\.time_emb_proj)\.weight$/],
];

/** The model that tensors of these names are of, if it is a known one other than FLUX.1. */
export function otherModel(names: ReadonlyMap<string, unknown>): string | undefined {
  const all = [...names.keys()];
  return SIGNS.find(([, sign]) => all.some((name) => sign.test(name)))?.[0];
}

/** @throws {InputError} if the file or folder `path`, with tensors of these `names`, is a known model other than FLUX.1 */
export function refuseOtherModels(path: string, names: ReadonlyMap<string, unknown>): void {
  const other = otherModel(names);
  if (other === undefined) return;
  throw new InputError(`Cannot load ${quote(path)}: the model must be FLUX.1: it is ${other}`, {
    hint: "FluxSR works with the transformer and the autoencoder of FLUX.1-dev, and models of the same architecture",
  });
}

/** What the user should know of a transformer of these sizes, a line each. */
export function notesOn(config: MmditConfig): string[] {
  return isSchnell(config)
    ? ["the model is FLUX.1-schnell: FluxSR's adapters are trained on FLUX.1-dev, results will differ"]
    : [];
}

/** FLUX.1-schnell has FLUX.1-dev's blocks without its guidance. */
function isSchnell({ guidance_embed, hidden_size, depth, depth_single_blocks }: MmditConfig): boolean {
  return !guidance_embed && hidden_size === FLUX_DEV.hidden_size && depth === FLUX_DEV.depth &&
    depth_single_blocks === FLUX_DEV.depth_single_blocks;
}
