import {
  loadModule,
  Mmdit,
  type MmditConfig,
  type MmditInputs,
  positions,
  ropeTables,
  timeEmbedding,
  type WeightSource,
} from "@fluxsr/core";
import { InputError, openWeights } from "@fluxsr/core";
import { type Gpu, scoped, tensor } from "@fluxsr/kernels";
import { mmditNames, parseMmditConfig } from "./_core.ts";
import { type GoldenCase, readCase, type Tensors } from "./case.ts";
import type { Fields } from "./fields.ts";
import { type Recorded, Recorder } from "./recorder.ts";

const CONFIG = [
  "in_channels",
  "out_channels",
  "vec_in_dim",
  "context_in_dim",
  "hidden_size",
  "mlp_ratio",
  "num_heads",
  "depth",
  "depth_single_blocks",
  "axes_dim",
  "theta",
  "qkv_bias",
  "guidance_embed",
];

/** Tensors of `io.safetensors` that are given; all others are results. */
const GIVEN = ["img", "img_ids", "txt", "txt_ids", "timesteps", "y", "guidance", "probe"];

/** A loaded transformer and what it was made from. */
export interface Network extends Disposable {
  readonly gpu: Gpu;
  readonly config: MmditConfig;
  readonly mmdit: Mmdit;
}

/** The transformer's settings among those of a case. */
export function mmditConfig({ folder }: GoldenCase, fields: Fields): MmditConfig {
  return parseMmditConfig(`${folder}/case.json`, fields.pick(CONFIG));
}

/** Loads a transformer from a file in the BFL or the diffusers naming. */
export async function loadMmdit(gpu: Gpu, path: string, config: MmditConfig): Promise<Network> {
  const mmdit = new Mmdit(config);
  using file: WeightSource = await openWeights(path);
  await loadModule(gpu, mmdit, { source: mmditNames(file), precision: "f32" });
  return { gpu, config, mmdit, [Symbol.dispose]: () => mmdit.dispose() };
}

/** The transformer and the inputs of the case that another one builds on. */
export async function loadBase(gpu: Gpu, golden: GoldenCase): Promise<{ network: Network; inputs: Tensors }> {
  const base = await readCase(golden.path(golden.config.text("base_case")));
  const { config } = golden;
  const own = config.has("base_config") ? mmditConfig(golden, config.object("base_config")) : undefined;
  const inputs = await base.tensors("io.safetensors");
  const network = await loadMmdit(gpu, base.path("weights.safetensors"), own ?? mmditConfig(base, base.config));
  return { network, inputs };
}

/** The results among the tensors of `io.safetensors`. */
export function resultsOf(io: Tensors): Tensors {
  return new Map([...io].filter(([name]) => !GIVEN.includes(name)));
}

/** Runs the transformer on the given tensors of `io`; everything that a case may list is in the result. */
export async function runMmdit(network: Network, io: Tensors): Promise<Map<string, Recorded>> {
  const { gpu, mmdit } = network;
  using recorder = new Recorder();
  const ids = tokenIds(io);
  scoped(gpu, () => {
    recorder.observe("out", mmdit.forward(mmditInputs(network, io), recorder.observe));
  });
  const values = await recorder.read();
  const { cos, sin, shape: [, tokens, half] } = ropeTables(ids.values, { ...network.config, batch: ids.batch });
  const first = { shape: [tokens, half], end: tokens * half };
  values.set("rope_cos", { shape: first.shape, values: cos.slice(0, first.end) });
  values.set("rope_sin", { shape: first.shape, values: sin.slice(0, first.end) });
  const temb = timeEmbedding([...given(io, "timesteps").values]);
  return values.set("temb", { shape: [temb.length / 256, 256], values: temb });
}

/** What the transformer is given, on the GPU; `img` and `timesteps` may be left out of `io`. */
export function mmditInputs({ gpu, config }: Network, io: Tensors): MmditInputs {
  const upload = (name: string) => tensor(gpu, given(io, name).values, given(io, name).shape);
  const ids = tokenIds(io);
  const guidance = io.get("guidance")?.values;
  return {
    img: upload("img"),
    txt: upload("txt"),
    y: upload("y"),
    pe: positions(gpu, ids.values, { ...config, batch: ids.batch }),
    timesteps: [...given(io, "timesteps").values],
    ...(guidance && { guidance: [...guidance] }),
  };
}

/** Ids of every sample's text tokens, then of its picture's: [B, T + N, axes]. */
function tokenIds(io: Tensors): { values: Float32Array; batch: number } {
  const parts = [given(io, "txt_ids"), given(io, "img_ids")];
  const batch = parts[1]?.shape[0] ?? 0;
  const values = Array.from({ length: batch }, (_, sample) =>
    parts.flatMap(({ values }) => {
      const size = values.length / batch;
      return [...values.subarray(sample * size, (sample + 1) * size)];
    }));
  return { values: Float32Array.from(values.flat()), batch };
}

function given(io: Tensors, name: string) {
  const found = io.get(name);
  if (!found) throw new InputError(`Cannot run the transformer: the case must have the input "${name}"`);
  return found;
}
