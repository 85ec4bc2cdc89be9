import {
  clamp,
  combine,
  concat,
  matmul,
  normalNoise,
  poissonNoise,
  scoped,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";

/** Noise to be added to a picture. */
export type Noise = GaussianNoise | PoissonNoise;

interface NoiseField {
  /** One field for all channels instead of one for each. */
  readonly gray: boolean;
  /** A whole number below 2^32. */
  readonly seed: number;
}

export interface GaussianNoise extends NoiseField {
  readonly type: "gaussian";
  /** Standard deviation, of values up to 255. */
  readonly sigma: number;
}

export interface PoissonNoise extends NoiseField {
  readonly type: "poisson";
  /** Times the noise of counting photons. */
  readonly scale: number;
}

/** Weights of R, G and B in the luma of BT.601, as PyTorch has them. */
const LUMA = [0.2989, 0.587, 0.114];

/** Adds noise and limits the result to [0, 1]: `x [B, h, w, 3] -> [B, h, w, 3]`. */
export function addNoise(x: Tensor, noise: Noise): Tensor {
  return scoped(x.gpu, () => {
    const { gray, seed } = noise;
    if (noise.type === "gaussian") {
      const field = normalNoise(x.gpu, gray ? [...x.shape.slice(0, -1), 1] : x.shape, { seed });
      return addField(x, field, noise.sigma / 255);
    }
    const source = gray ? matmul(x, tensor(x.gpu, Float32Array.from(LUMA), [3, 1])) : x;
    return addField(x, poissonNoise(source, { seed }), noise.scale);
  });
}

/** `clip(x + factor field)`; a field of one channel counts for all three. */
export function addField(x: Tensor, field: Tensor, factor: number): Tensor {
  return scoped(x.gpu, () => {
    const isGray = field.shape.at(-1) === 1;
    return clamp(combine(x, isGray ? concat([field, field, field], 3) : field, { beta: factor }), 0, 1);
  });
}
