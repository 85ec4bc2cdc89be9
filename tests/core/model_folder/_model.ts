import { join } from "node:path";
import { golden } from "../weights/_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** The configurations of the golden cases, as in BFL's JSON. */
export function goldenConfig(name: "mmdit-guidance" | "vae"): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(golden(`${name}/case.json`))).config;
}

/** Writes the files into a new folder: JSON of objects, copies of golden files for text. */
export function modelFolder(files: Readonly<Record<string, string | object>>): string {
  const folder = temporaryFolder();
  for (const [name, contents] of Object.entries(files)) {
    const path = join(folder, name);
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    if (typeof contents === "string") Deno.copyFileSync(golden(contents), path);
    else Deno.writeTextFileSync(path, JSON.stringify(contents));
  }
  return folder;
}

/** A model folder as diffusers saves it, of the golden networks. */
export const DIFFUSERS_LAYOUT = {
  "transformer/config.json": {
    _class_name: "FluxTransformer2DModel",
    attention_head_dim: 16,
    num_attention_heads: 4,
    num_layers: 2,
    num_single_layers: 3,
    joint_attention_dim: 48,
    pooled_projection_dim: 32,
    in_channels: 64,
    guidance_embeds: true,
    axes_dims_rope: [4, 6, 6],
  },
  "transformer/diffusion_pytorch_model.safetensors": "mmdit-guidance-diffusers/weights.diffusers.safetensors",
  "vae/config.json": {
    _class_name: "AutoencoderKL",
    block_out_channels: [32, 32, 32, 64],
    layers_per_block: 1,
    latent_channels: 16,
    scaling_factor: 0.3611,
    shift_factor: 0.1159,
    sample_size: 64,
  },
  "vae/diffusion_pytorch_model.safetensors": "vae-diffusers/weights.diffusers.safetensors",
} as const;
