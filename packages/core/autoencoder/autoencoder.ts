import { add, affine, clamp, exp, multiply, scoped, split, type Tensor } from "@fluxsr/kernels";
import { Module } from "../nn/module.ts";
import type { AutoencoderConfig } from "../weights/configs.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";

/** Called with intermediate values, named as in the checkpoint (`encoder.down.0`, ...); only valid in the call. */
export type Observer = (name: string, value: Tensor) => void;

const ignore: Observer = () => {};

/** FLUX's autoencoder (black-forest-labs/flux, src/flux/modules/autoencoder.py), channels last. */
export class Autoencoder extends Module {
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly #config: AutoencoderConfig;

  constructor(config: AutoencoderConfig) {
    super();
    this.encoder = new Encoder(config);
    this.decoder = new Decoder(config);
    this.#config = config;
  }

  /** Picture pixels per latent pixel along each axis. */
  get factor(): number {
    return 2 ** (this.#config.ch_mult.length - 1);
  }

  /** The most f32 values per picture pixel that a single tensor holds in {@linkcode encode} or {@linkcode decode}. */
  get widest(): number {
    const { ch, ch_mult } = this.#config;
    // The decoder enlarges the second level before it narrows it to the first.
    return Math.max(...ch_mult.slice(0, 2).map((factor) => factor * ch));
  }

  /**
   * `x [B, h, w, 3]` in [-1, 1] to the scaled latent `[B, h/8, w/8, z_channels]`: scale (mean - shift).
   *
   * @param options `noise`, standard normal and of the latent's shape, samples the posterior instead of taking its mean
   */
  encode(x: Tensor, { noise, observe = ignore }: { noise?: Tensor | undefined; observe?: Observer } = {}): Tensor {
    const { z_channels, scale_factor, shift_factor } = this.#config;
    return scoped(x.gpu, () => {
      const moments = this.encoder.forward(x, observe);
      observe("moments", moments);
      const [mean, logvar] = split(moments, 3, [z_channels, z_channels]) as [Tensor, Tensor];
      const z = noise ? add(mean, multiply(exp(clamp(logvar, -30, 20), 0.5), noise)) : mean;
      return affine(z, { scale: scale_factor, offset: -scale_factor * shift_factor });
    });
  }

  /** Scaled latent `z [B, h, w, z_channels]` to a picture `[B, 8 h, 8 w, 3]`, about [-1, 1], not clamped. */
  decode(z: Tensor, { observe = ignore }: { observe?: Observer } = {}): Tensor {
    const { scale_factor, shift_factor } = this.#config;
    return scoped(
      z.gpu,
      () => this.decoder.forward(affine(z, { scale: 1 / scale_factor, offset: shift_factor }), observe),
    );
  }
}
