/** Noise and the picture that the teacher's flow makes of it. */
export interface Pair {
  /** The noise, t = 1: [h, w, z_channels]. */
  readonly eps: Float32Array<ArrayBuffer>;
  /** The latent, t = 0: [h, w, z_channels]. */
  readonly z_0: Float32Array<ArrayBuffer>;
  /** The picture, sRGB: [H, W, 3]. */
  readonly x_0: Uint8Array;
  /** Which of the prompts led from the one to the other. */
  readonly prompt: number;
}

/** A pair and how good it is. */
export interface MadePair extends Pair {
  /** The relative error of z_0 after the way to the noise and back, where there is such a way. */
  readonly round_trip?: number;
}

/** Makes pairs. */
export interface PairMaker {
  /** Pair `i`: the same for the same number, whatever came before. `signal` may end the work on it, with its reason. */
  make(i: number, signal?: AbortSignal): Promise<MadePair>;
}
