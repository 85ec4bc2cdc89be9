import { loadModule, type Module, weightSource } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { randomOf } from "./random.ts";

/** Layers that begin as zero: those that make FLUX's modulations, and all of the last layer. */
const ZERO = /(_mod|modulation)\.lin\.|^final_layer\.|\.(conv2|proj_out)\.(weight|bias)$/;

/** The layer whose second half of outputs are the log variances of an autoencoder's latents. */
const MOMENTS = /^encoder\.conv_out\./;

/** Standard deviations of e^-4 = 0.018: at 1, which log variances of 0 are, the decoder sees little but noise at first. */
const LOG_VARIANCE = -8;

/**
 * Gives `module` new f32 weights, the same for the same seed.
 *
 * Linear layers and convolutions are uniform in +-1 / sqrt(fan_in), weights and biases, as PyTorch's are by default
 * (torch/nn/modules/linear.py and conv.py, `reset_parameters`); norms change nothing. The modulations and the last layer
 * of a transformer are zero, so that every block is the identity at first: adaLN-Zero (Peebles and Xie 2022,
 * https://arxiv.org/abs/2212.09748, section 3.2, and `initialize_weights` of facebookresearch/DiT, models.py). The
 * posterior of an autoencoder is narrow at first, and the same everywhere.
 */
export async function initialise(gpu: Gpu, module: Module, { seed }: { seed: number }): Promise<void> {
  const shapes = new Map([...module.parameters()].map(([name, { shape }]) => [name, shape]));
  const source = weightSource({
    path: "new weights",
    metadata: {},
    tensors: new Map([...shapes].map(([name, shape]) => [name, { dtype: "F32", shape }])),
    read: (name) => {
      const bytes = new Uint8Array(values(name, shapes, seed).buffer);
      return Promise.resolve({ dtype: "F32", shape: shapes.get(name) ?? [], bytes });
    },
    close() {},
  });
  await loadModule(gpu, module, { source, precision: "f32" });
}

function values(
  name: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  seed: number,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(product(shapes.get(name) ?? []));
  if (ZERO.test(name)) return result;
  const isBias = name.endsWith(".bias");
  const [, ...inputs] = shapes.get(isBias ? name.replace(/bias$/, "weight") : name) ?? [];
  // The weights of norms have no inputs.
  if (inputs.length === 0) return result.fill(isBias ? 0 : 1);
  const bound = 1 / Math.sqrt(product(inputs));
  const random = randomOf(seed, "initialise", name);
  const drawn = result.map(() => random.uniform(-bound, bound));
  return MOMENTS.test(name) ? drawn.fill(isBias ? LOG_VARIANCE : 0, drawn.length / 2) : drawn;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
