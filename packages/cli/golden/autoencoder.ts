import {
  Autoencoder,
  type AutoencoderConfig,
  autoencoderNames,
  loadModule,
  openWeights,
  parseAutoencoderConfig,
  permuted,
} from "@fluxsr/core";
import { type Gpu, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { type GoldenCase, readTensors, type Tensors, type Values } from "./case.ts";
import { compareAll } from "./compare.ts";
import { gradientsOf, type Handler } from "./handler.ts";
import { Recorder } from "./recorder.ts";
import { compareWeights, weightsFile } from "./weights.ts";

const CONFIG = [
  "resolution",
  "in_channels",
  "ch",
  "out_ch",
  "ch_mult",
  "num_res_blocks",
  "z_channels",
  "scale_factor",
  "shift_factor",
  "norm_num_groups",
];

/** Tensors of `io.safetensors` that are given; all others are results. */
const GIVEN = ["image", "z", "probe_decode", "probe_latent"];

/** `autoencoder`: encoder and decoder with all intermediate values. */
export const autoencoder: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  const tensors = {
    actual: await run(golden, gpu, { io, path: golden.path("weights.safetensors") }),
    expected: resultsOf(io),
  };
  return { groups: [compareAll("forward", tensors, golden.tolerance("forward"))], skipped: gradientsOf(golden) };
};

/** `autoencoder-diffusers-names`: the weights of another case under diffusers' names are the same model. */
export const autoencoderNamed: Handler = async (golden, gpu) => {
  const path = weightsFile(golden);
  using named = await openWeights(path);
  using same = await openWeights(golden.path(golden.config.text("same_weights_as")));
  const weights = await compareWeights(autoencoderNames(named), same, golden.tolerance("weights"));
  const io = await readTensors(golden.path(golden.config.text("io")));
  const tensors = { actual: await run(golden, gpu, { io, path }), expected: resultsOf(io) };
  return { groups: [weights, compareAll("forward", tensors, golden.tolerance("forward"))], skipped: [] };
};

function resultsOf(io: Tensors): Tensors {
  return new Map([...io].filter(([name]) => !GIVEN.includes(name)));
}

/** Encodes the picture and decodes the latent of `io`; the results are channels first, as in the case. */
async function run(golden: GoldenCase, gpu: Gpu, { io, path }: { io: Tensors; path: string }): Promise<Tensors> {
  const config: AutoencoderConfig = parseAutoencoderConfig(golden.path("case.json"), golden.config.pick(CONFIG));
  using file = await openWeights(path);
  using recorder = new Recorder();
  const network = new Autoencoder(config);
  try {
    await loadModule(gpu, network, { source: autoencoderNames(file), precision: "f32" });
    const observe = (name: string, [tile]: readonly Tensor[]) => tile && recorder.observe(name, tile);
    const [image, z] = [io.get("image"), io.get("z")];
    scoped(gpu, () => {
      if (image) observe("latent", network.encode([upload(gpu, image)], { observe }));
      if (z) observe("decoded", network.decode([upload(gpu, z)], { observe }));
    });
    return new Map([...await recorder.read()].map(([name, values]) => [name, transposed(values, [0, 3, 1, 2])]));
  } finally {
    network.dispose();
  }
}

/** `[B, C, h, w] -> [B, h, w, C]` */
function upload(gpu: Gpu, values: Values) {
  const channelsLast = transposed(values, [0, 2, 3, 1]);
  return tensor(gpu, channelsLast.values, channelsLast.shape);
}

function transposed({ shape, values }: Values, axes: readonly number[]): Values {
  return { shape: axes.map((axis) => shape[axis] ?? 0), values: permuted(values, shape, axes) };
}
