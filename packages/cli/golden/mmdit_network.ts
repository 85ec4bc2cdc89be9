import {
  InputError,
  loadModule,
  Mmdit,
  type MmditConfig,
  type MmditInputs,
  mmditNames,
  openWeights,
  parseMmditConfig,
  positions,
  ropeTables,
  timeEmbedding,
} from "@fluxsr/core";
import { type Gpu, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { type GoldenCase, readCase, type Tensors, type Values } from "./case.ts";
import type { Fields } from "./fields.ts";
import { Recorder } from "./recorder.ts";

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
  using file = await openWeights(path);
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
export async function runMmdit(network: Network, io: Tensors): Promise<Map<string, Values>> {
  const { gpu, config, mmdit } = network;
  const timesteps = [...given(io, "timesteps").values];
  using recorder = new Recorder();
  scoped(gpu, () => recorder.observe("out", mmdit.forward(mmditInputs(network, io), recorder.observe)));
  const results = await recorder.read();
  const ids = tokenIds(io);
  const { cos, sin, shape: [, tokens, half] } = ropeTables(ids.values, { ...config, ...ids });
  // The case lists the tables of the first sample.
  results.set("rope_cos", { shape: [tokens, half], values: cos.slice(0, tokens * half) });
  results.set("rope_sin", { shape: [tokens, half], values: sin.slice(0, tokens * half) });
  const temb = timeEmbedding(timesteps);
  return results.set("temb", { shape: [timesteps.length, temb.length / timesteps.length], values: temb });
}

/** What the transformer is given, on the GPU. */
export function mmditInputs(network: Network, io: Tensors): MmditInputs {
  const guidance = io.get("guidance")?.values;
  return {
    ...conditioning(network, io),
    img: upload(network.gpu, io, "img"),
    timesteps: [...given(io, "timesteps").values],
    ...(guidance && { guidance: [...guidance] }),
  };
}

/** What stays the same along a trajectory, on the GPU: the text, the pooled text and the positions. */
export function conditioning({ gpu, config }: Network, io: Tensors): Pick<MmditInputs, "txt" | "y" | "pe"> {
  const ids = tokenIds(io);
  return {
    txt: upload(gpu, io, "txt"),
    y: upload(gpu, io, "y"),
    pe: positions(gpu, ids.values, { ...config, ...ids }),
  };
}

/** The tensor `name` of the case, on the GPU. */
export function upload(gpu: Gpu, io: Tensors, name: string): Tensor {
  const { values, shape } = given(io, name);
  return tensor(gpu, values, shape);
}

/** Ids of every sample's text tokens, then of its picture's: [B, T + N, axes]. */
function tokenIds(io: Tensors): { values: Float32Array; batch: number } {
  const parts = [given(io, "txt_ids"), given(io, "img_ids")];
  const batch = given(io, "img").shape[0] ?? 0;
  const samples = Array.from({ length: batch }, (_, sample) =>
    parts.flatMap(({ values }) => {
      const size = values.length / batch;
      return [...values.subarray(sample * size, (sample + 1) * size)];
    }));
  return { values: Float32Array.from(samples.flat()), batch };
}

function given(io: Tensors, name: string): Values {
  const found = io.get(name);
  if (!found) throw new InputError(`Cannot run the transformer: the case must give "${name}"`);
  return found;
}
