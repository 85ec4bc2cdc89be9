import {
  Autoencoder,
  type AutoencoderConfig,
  autoencoderNames,
  loadModule,
  openWeights,
  parseAutoencoderConfig,
  permuted,
} from "@fluxsr/core";
import { type Gpu, type Tensor, tensor } from "@fluxsr/kernels";
import type { GoldenCase, Values } from "./case.ts";

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

/** The autoencoder of a case. */
export interface Network extends Disposable {
  readonly gpu: Gpu;
  readonly autoencoder: Autoencoder;
}

/** Loads the weights of the case `golden` from the file at `path`. */
export async function loadAutoencoder(golden: GoldenCase, gpu: Gpu, path: string): Promise<Network> {
  const config: AutoencoderConfig = parseAutoencoderConfig(golden.path("case.json"), golden.config.pick(CONFIG));
  using file = await openWeights(path);
  const autoencoder = new Autoencoder(config);
  await loadModule(gpu, autoencoder, { source: autoencoderNames(file), precision: "f32" });
  return { gpu, autoencoder, [Symbol.dispose]: () => autoencoder.dispose() };
}

/** `[B, C, h, w]` of a case to `[B, h, w, C]` on the GPU. */
export function upload(gpu: Gpu, values: Values): Tensor {
  const channelsLast = transposed(values, [0, 2, 3, 1]);
  return tensor(gpu, channelsLast.values, channelsLast.shape);
}

/** `[B, h, w, C]` as read from the GPU to `[B, C, h, w]`. */
export function channelsFirst(values: Values): Values {
  return transposed(values, [0, 3, 1, 2]);
}

/** Axis i of the result is axis `axes[i]` of the values. */
export function transposed({ shape, values }: Values, axes: readonly number[]): Values {
  return { shape: axes.map((axis) => shape[axis] ?? 0), values: permuted(values, shape, axes) };
}
