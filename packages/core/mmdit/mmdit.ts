import { add, checkpoint, concat, scoped, silu, split, type Tensor, tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import type { MmditConfig } from "../weights/configs.ts";
import { DoubleStreamBlock, type Streams } from "./double_block.ts";
import { MLPEmbedder, TIME_CHANNELS, timeEmbedding } from "./embedder.ts";
import { LastLayer } from "./final_layer.ts";
import type { Positions } from "./positions.ts";
import { SingleStreamBlock } from "./single_block.ts";

/** What the network is given. */
export interface MmditInputs {
  /** Packed latent tokens [B, N, in_channels] */
  readonly img: Tensor;
  /** Text tokens [B, T, context_in_dim] */
  readonly txt: Tensor;
  /** Pooled text [B, vec_in_dim] */
  readonly y: Tensor;
  /** RoPE tables of the text tokens, then the picture's */
  readonly pe: Positions;
  /** [B], 0 is data, 1 is noise */
  readonly timesteps: readonly number[];
  /** [B]; only read if the network has a guidance embedding */
  readonly guidance?: readonly number[];
}

/** Called with intermediate values, named `vec`, `double.0.img`, `double.0.txt`, `single.0`, ...; only valid in the call. */
export type Observer = (name: string, value: Tensor) => void;

/** FLUX's multimodal diffusion transformer (black-forest-labs/flux, src/flux/model.py): predicts the velocity. */
export class Mmdit extends Module {
  readonly img_in: Linear;
  readonly time_in: MLPEmbedder;
  readonly vector_in: MLPEmbedder;
  readonly guidance_in?: MLPEmbedder;
  readonly txt_in: Linear;
  readonly double_blocks: readonly DoubleStreamBlock[];
  readonly single_blocks: readonly SingleStreamBlock[];
  readonly final_layer: LastLayer;

  constructor(config: MmditConfig) {
    super();
    const { hidden_size } = config;
    this.img_in = new Linear(config.in_channels, hidden_size);
    this.time_in = new MLPEmbedder(TIME_CHANNELS, hidden_size);
    this.vector_in = new MLPEmbedder(config.vec_in_dim, hidden_size);
    if (config.guidance_embed) this.guidance_in = new MLPEmbedder(TIME_CHANNELS, hidden_size);
    this.txt_in = new Linear(config.context_in_dim, hidden_size);
    this.double_blocks = Array.from({ length: config.depth }, () => new DoubleStreamBlock(config));
    this.single_blocks = Array.from({ length: config.depth_single_blocks }, () => new SingleStreamBlock(config));
    this.final_layer = new LastLayer(hidden_size, config.out_channels);
  }

  /** The velocity [B, N, out_channels]. */
  forward(inputs: MmditInputs, observe: Observer = () => {}): Tensor {
    const { pe } = inputs;
    return scoped(inputs.img.gpu, () => {
      const conditioning = this.#vec(inputs);
      observe("vec", conditioning);
      const vec = silu(conditioning);
      let streams: Streams = { img: this.img_in.forward(inputs.img), txt: this.txt_in.forward(inputs.txt) };
      this.double_blocks.forEach((block, i) => {
        const { img, txt } = streams;
        const [nextImg, nextTxt] = checkpoint(`double_blocks.${i}`, [img, txt, vec, ...Object.values(pe)], () => {
          const next = block.forward({ img, txt }, { vec, pe });
          return [next.img, next.txt] as const;
        });
        streams = { img: nextImg, txt: nextTxt };
        observe(`double.${i}.img`, streams.img);
        observe(`double.${i}.txt`, streams.txt);
      });
      let x = concat([streams.txt, streams.img], 1);
      this.single_blocks.forEach((block, i) => {
        const before = x;
        [x] = checkpoint(`single_blocks.${i}`, [before, vec, ...Object.values(pe)], () => [
          block.forward(before, { vec, pe }),
        ]) as [Tensor];
        observe(`single.${i}`, x);
      });
      const [, img] = split(x, 1, [streams.txt.shape[1] ?? 0, streams.img.shape[1] ?? 0]) as [Tensor, Tensor];
      return this.final_layer.forward(img, vec);
    });
  }

  /** The conditioning vector [B, D]: time, guidance and pooled text. */
  #vec({ y, timesteps, guidance }: MmditInputs): Tensor {
    const embed = (times: readonly number[]) => tensor(y.gpu, timeEmbedding(times), [times.length, TIME_CHANNELS]);
    let vec = this.time_in.forward(embed(timesteps));
    if (this.guidance_in) {
      if (!guidance) {
        throw new TypeError("Cannot run the transformer: it has a guidance embedding and needs a guidance");
      }
      vec = add(vec, this.guidance_in.forward(embed(guidance)));
    }
    return add(vec, this.vector_in.forward(y));
  }
}
