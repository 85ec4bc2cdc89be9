import { add, affine, clamp, exp, multiply, scoped, split, type Tensor } from "@fluxsr/kernels";
import type { Tiles } from "../nn/group_norm.ts";
import { Module } from "../nn/module.ts";
import type { AutoencoderConfig } from "../model_folder/configs.ts";
import { chain, type Observer, type Step } from "./chain.ts";
import { chainInTurn } from "./chain_in_turn.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";

const ignore: Observer = () => {};

/** Options of {@linkcode Autoencoder.encode} and {@linkcode Autoencoder.decode}. */
export interface PassOptions {
  /** Is given values on the way; not of tiles one at a time. */
  readonly observe?: Observer;
  /** One tile at a time, with values of all of them in at most so many bytes of memory between layers; default: all tiles together. The result is the same to the bit. */
  readonly keep?: number | undefined;
}

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
   * Tiles [B, h, w, 3] of a picture in [-1, 1] to their scaled latents [B, h/f, w/f, z_channels], scale (mean - shift); f
   * is the {@linkcode factor}.
   *
   * @param options `noise`, standard normal and of the latents' shape, one a tile, samples the posterior instead of
   * taking its mean
   */
  encode(tiles: Tiles, { noise, observe = ignore, keep }: PassOptions & { noise?: Tiles | undefined } = {}): Tiles {
    const { z_channels, scale_factor, shift_factor } = this.#config;
    return within(tiles, () => {
      const moments = pass(tiles, this.encoder.steps, { observe, keep });
      observe("moments", moments);
      return moments.map((moment, i) => {
        const latent = scoped(moment.gpu, () => {
          const [mean, logvar] = split(moment, 3, [z_channels, z_channels]) as [Tensor, Tensor];
          const sample = noise?.[i];
          const z = sample ? add(mean, multiply(exp(clamp(logvar, -30, 20), 0.5), sample)) : mean;
          return affine(z, { scale: scale_factor, offset: -scale_factor * shift_factor });
        });
        moment.dispose();
        return latent;
      });
    });
  }

  /** Scaled latent tiles [B, h, w, z_channels] to pictures [B, f h, f w, 3], about [-1, 1], not clamped. */
  decode(tiles: Tiles, options: PassOptions = {}): Tiles {
    const { scale_factor, shift_factor } = this.#config;
    const unscaled = (z: Tensor) => affine(z, { scale: 1 / scale_factor, offset: shift_factor });
    return within(tiles, () => pass(tiles.map(unscaled), this.decoder.steps, options));
  }
}

function pass(tiles: Tiles, steps: readonly Step[], { observe = ignore, keep }: PassOptions): Tiles {
  return keep === undefined ? chain(tiles, steps, observe) : chainInTurn(tiles, steps, { keep });
}

function within(tiles: Tiles, body: () => Tiles): Tiles {
  const [first] = tiles;
  return first ? scoped(first.gpu, body) : [];
}
