import type { Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";

/** Channels of the sinusoidal embedding of a time. */
export const TIME_CHANNELS = 256;

/** `out_layer(silu(in_layer(x)))`: embeds the time, the guidance and the pooled text. */
export class MLPEmbedder extends Module {
  readonly in_layer: Linear;
  readonly out_layer: Linear;

  constructor(inputs: number, width: number) {
    super();
    this.in_layer = new Linear(inputs, width);
    this.out_layer = new Linear(width, width);
  }

  /** `x [B, in] -> [B, D]` */
  forward(x: Tensor): Tensor {
    return this.out_layer.forward(this.in_layer.forward(x, { activation: "silu" }));
  }
}

/**
 * Sinusoidal embedding of times: cos then sin of `1000 t exp(-ln(10000) k / 128)`, k = 0..127.
 *
 * Angles reach a thousand radians, so it is computed on the host in f64. Returns [B, 256].
 */
export function timeEmbedding(times: readonly number[]): Float32Array<ArrayBuffer> {
  const half = TIME_CHANNELS / 2;
  const embedding = new Float32Array(times.length * TIME_CHANNELS);
  times.forEach((t, row) => {
    for (let k = 0; k < half; k++) {
      const angle = 1000 * t * Math.exp(-Math.log(10_000) * k / half);
      embedding[row * TIME_CHANNELS + k] = Math.cos(angle);
      embedding[row * TIME_CHANNELS + half + k] = Math.sin(angle);
    }
  });
  return embedding;
}
