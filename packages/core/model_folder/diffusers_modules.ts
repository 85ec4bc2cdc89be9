/**
 * The modules of diffusers' FluxTransformer2DModel and their places in the original (BFL) naming.
 * From huggingface/diffusers scripts/convert_flux_to_diffusers.py, read the other way round.
 */
const DOUBLE_BLOCK: readonly Row[] = [
  ["norm1.linear", "img_mod.lin"],
  ["norm1_context.linear", "txt_mod.lin"],
  ["attn.to_q", "img_attn.qkv", 0, 3],
  ["attn.to_k", "img_attn.qkv", 1, 3],
  ["attn.to_v", "img_attn.qkv", 2, 3],
  ["attn.add_q_proj", "txt_attn.qkv", 0, 3],
  ["attn.add_k_proj", "txt_attn.qkv", 1, 3],
  ["attn.add_v_proj", "txt_attn.qkv", 2, 3],
  ["attn.norm_q", "img_attn.norm.query_norm"],
  ["attn.norm_k", "img_attn.norm.key_norm"],
  ["attn.norm_added_q", "txt_attn.norm.query_norm"],
  ["attn.norm_added_k", "txt_attn.norm.key_norm"],
  ["attn.to_out.0", "img_attn.proj"],
  ["attn.to_add_out", "txt_attn.proj"],
  ["ff.net.0.proj", "img_mlp.0"],
  ["ff.net.2", "img_mlp.2"],
  ["ff_context.net.0.proj", "txt_mlp.0"],
  ["ff_context.net.2", "txt_mlp.2"],
];

const SINGLE_BLOCK: readonly Row[] = [
  ["norm.linear", "modulation.lin"],
  ["attn.to_q", "linear1", 0, 4],
  ["attn.to_k", "linear1", 1, 4],
  ["attn.to_v", "linear1", 2, 4],
  ["proj_mlp", "linear1", 3, 4],
  ["attn.norm_q", "norm.query_norm"],
  ["attn.norm_k", "norm.key_norm"],
  ["proj_out", "linear2"],
];

const OUTSIDE_BLOCKS: readonly Row[] = [
  ["x_embedder", "img_in"],
  ["context_embedder", "txt_in"],
  ["time_text_embed.timestep_embedder.linear_1", "time_in.in_layer"],
  ["time_text_embed.timestep_embedder.linear_2", "time_in.out_layer"],
  ["time_text_embed.guidance_embedder.linear_1", "guidance_in.in_layer"],
  ["time_text_embed.guidance_embedder.linear_2", "guidance_in.out_layer"],
  ["time_text_embed.text_embedder.linear_1", "vector_in.in_layer"],
  ["time_text_embed.text_embedder.linear_2", "vector_in.out_layer"],
  ["norm_out.linear", "final_layer.adaLN_modulation.1"],
  ["proj_out", "final_layer.linear"],
];

/** A diffusers module, its BFL module, and which of how many row blocks it is there. */
type Row = readonly [diffusers: string, bfl: string, part?: number, parts?: number];

/** Where a module's rows are in the BFL naming. */
export interface BflPlace {
  readonly module: string;
  /** The module's rows are block `part` of `parts`: q, k, v of `qkv`; q, k, v, mlp of `linear1`. */
  readonly part: number;
  readonly parts: number;
  /** BFL has the upper and lower half of the rows exchanged (shift before scale). */
  readonly swapHalves: boolean;
}

/**
 * The rows of a BFL module of `rows` that are those of `place`: of several parts all but linear1's last (the MLP) have
 * the `width` of the model.
 */
export function rowsOfPart(
  { part, parts }: Pick<BflPlace, "part" | "parts">,
  { rows, width }: { rows: number; width: number },
): { begin: number; end: number } {
  const begin = part * width;
  return { begin, end: parts === 1 || part === 3 ? rows : begin + width };
}

/** All modules of the outermost level and of `depth` double and `depthSingle` single blocks, with their places. */
export function* diffusersModules(depth: number, depthSingle: number): Generator<readonly [string, BflPlace]> {
  yield* places(OUTSIDE_BLOCKS, "", "");
  for (let i = 0; i < depth; i++) yield* places(DOUBLE_BLOCK, `transformer_blocks.${i}.`, `double_blocks.${i}.`);
  for (let i = 0; i < depthSingle; i++) {
    yield* places(SINGLE_BLOCK, `single_transformer_blocks.${i}.`, `single_blocks.${i}.`);
  }
}

function* places(rows: readonly Row[], prefix: string, bflPrefix: string): Generator<readonly [string, BflPlace]> {
  for (const [diffusers, bfl, part = 0, parts = 1] of rows) {
    const swapHalves = diffusers === "norm_out.linear";
    yield [prefix + diffusers, { module: bflPrefix + bfl, part, parts, swapHalves }];
  }
}
