/** A model folder whose T5 has more blocks than that of golden/, as most of its weights. */
import { join } from "node:path";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { withTextEncoders } from "./_golden.ts";

/** Gives the text encoders of golden/ to `folder`, with `blocks` blocks in T5 that repeat its two, and returns it. */
export async function withDeepT5(folder: string, { blocks }: { blocks: number }): Promise<string> {
  const part = join(withTextEncoders(folder), "text_encoder_2");
  const tensors = new Map<string, { dtype: "BF16"; shape: readonly number[]; bytes: Uint8Array }>();
  {
    using source = await openWeights(part);
    for (const [name, { shape }] of source.tensors) {
      const { bytes } = await source.read(name);
      const [, block] = /^encoder\.block\.(\d)\./.exec(name) ?? [];
      for (let i = Number(block ?? 0); i < (block === undefined ? 1 : blocks); i += 2) {
        const copy = name.replace(/^encoder\.block\.\d/, `encoder.block.${i}`);
        if (i < 2 || !copy.endsWith("relative_attention_bias.weight")) {
          tensors.set(copy, { dtype: "BF16", shape, bytes });
        }
      }
    }
  }
  for (const { name } of [...Deno.readDirSync(part)]) {
    if (name.includes("safetensors")) Deno.removeSync(join(part, name));
  }
  await writeSafetensors(join(part, "model.safetensors"), tensors);
  const path = join(part, "config.json");
  const config = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...config, num_layers: blocks }));
  return folder;
}
