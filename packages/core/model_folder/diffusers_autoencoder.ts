/**
 * Parts of names that differ between diffusers' AutoencoderKL and BFL's autoencoder, `#` is a number. From
 * huggingface/diffusers scripts/convert_flux_to_diffusers.py and loaders/single_file_utils.py.
 */
const RENAMES: readonly (readonly [diffusers: string, bfl: string])[] = [
  ["encoder.down_blocks.#.resnets.#.", "encoder.down.#.block.#."],
  ["encoder.down_blocks.#.downsamplers.0.", "encoder.down.#.downsample."],
  ["decoder.up_blocks.#.resnets.#.", "decoder.up.#.block.#."],
  ["decoder.up_blocks.#.upsamplers.0.", "decoder.up.#.upsample."],
  [".mid_block.resnets.0.", ".mid.block_1."],
  [".mid_block.resnets.1.", ".mid.block_2."],
  [".mid_block.attentions.0.group_norm.", ".mid.attn_1.norm."],
  [".mid_block.attentions.0.to_q.", ".mid.attn_1.q."],
  [".mid_block.attentions.0.to_k.", ".mid.attn_1.k."],
  [".mid_block.attentions.0.to_v.", ".mid.attn_1.v."],
  [".mid_block.attentions.0.to_out.0.", ".mid.attn_1.proj_out."],
  [".conv_norm_out.", ".norm_out."],
  [".conv_shortcut.", ".nin_shortcut."],
];

/** The BFL name of a tensor of a decoder of `levels` levels; a name that is in neither naming, or in both, as it is. */
export function toBflName(name: string, levels: number): string {
  const renamed = RENAMES.reduce((text, [diffusers, bfl]) => replace(text, diffusers, bfl), name);
  return renamed === name ? name : reverseLevel(renamed, "decoder.up.", levels);
}

/** The inverse of {@linkcode toBflName}. */
export function toDiffusersName(name: string, levels: number): string {
  const renamed = RENAMES.reduce((text, [diffusers, bfl]) => replace(text, bfl, diffusers), name);
  return renamed === name ? name : reverseLevel(renamed, "decoder.up_blocks.", levels);
}

/** Whether BFL has the weight of this name as a 1x1 convolution [C, C, 1, 1], diffusers as a matrix [C, C]. */
export function isPointwise(bflName: string): boolean {
  return /\.attn_1\.(q|k|v|proj_out)\.weight$/.test(bflName);
}

function replace(text: string, pattern: string, replacement: string): string {
  const start = /^(en|de)coder/.test(pattern) ? "^" : "";
  const numbered = new RegExp(start + pattern.replaceAll(".", "\\.").replaceAll("#", "(\\d+)"));
  let group = 0;
  return text.replace(numbered, replacement.replaceAll("#", () => `$${++group}`));
}

/** diffusers numbers up levels in the order they run, BFL by resolution. */
function reverseLevel(name: string, prefix: string, levels: number): string {
  if (!name.startsWith(prefix)) return name;
  return prefix + name.slice(prefix.length).replace(/^\d+/, (level) => String(levels - 1 - Number(level)));
}
