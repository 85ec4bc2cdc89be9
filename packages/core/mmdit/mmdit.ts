import { abandon, add, checkpoint, concat, reshape, scoped, silu, split, type Tensor, tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module, type Part } from "../nn/module.ts";
import type { MmditConfig } from "../model_folder/configs.ts";
import { DoubleStreamBlock, type Streams } from "./double_block.ts";
import { MLPEmbedder, TIME_CHANNELS, timeEmbedding } from "./embedder.ts";
import { LastLayer } from "./final_layer.ts";
import { Modulation } from "./modulation.ts";
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
  readonly guidance?: readonly number[] | undefined;
}

/** Called with intermediate values, named `vec`, `double.0.img`, `double.0.txt`, `single.0`, ...; only valid in the call. */
export type Observer = (name: string, value: Tensor) => void;

/** What of the inputs is the same for all pictures of a one-step upscaler; one sample. */
export type FixedInputs = Pick<MmditInputs, "txt" | "y" | "timesteps" | "guidance">;

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
  #folded: { readonly vec: Tensor; readonly times: string } | undefined;

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
    return scoped(inputs.img.gpu, () => {
      const steps = this.steps(inputs, observe);
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value;
      }
    });
  }

  /**
   * The forward pass, stopping before each block, whose path it gives out: weights that are not on the GPU can be loaded
   * then, and freed when the block has run. Ends with the velocity. Runs in a scope of the caller's. On a tape that
   * recomputes, each block is one op, named by its path: so the backward pass tells which it needs.
   */
  *steps(inputs: MmditInputs, observe: Observer = () => {}): Generator<string, Tensor> {
    const { pe } = inputs;
    const conditioning = this.#vec(inputs);
    observe("vec", conditioning);
    const vec = silu(conditioning);
    let streams: Streams = { img: this.img_in.forward(inputs.img), txt: this.txt_in.forward(inputs.txt) };
    for (const [i, block] of this.double_blocks.entries()) {
      const path = `double_blocks.${i}`;
      yield path;
      const { img, txt } = streams;
      const [nextImg, nextTxt] = checkpoint(path, [img, txt, vec, ...Object.values(pe)], () => {
        const next = block.forward({ img, txt }, { vec, pe });
        return [next.img, next.txt] as const;
      });
      for (const before of [img, txt]) before.dispose();
      streams = { img: nextImg, txt: nextTxt };
      observe(`double.${i}.img`, streams.img);
      observe(`double.${i}.txt`, streams.txt);
    }
    const { img, txt } = streams;
    const counts = [txt, img].map(({ shape }) => shape[1] ?? 0);
    let x = concat([txt, img], 1);
    for (const before of [img, txt]) before.dispose();
    for (const [i, block] of this.single_blocks.entries()) {
      const path = `single_blocks.${i}`;
      yield path;
      const before = x;
      [x] = checkpoint(path, [before, vec, ...Object.values(pe)], () => [
        block.forward(before, { vec, pe }),
      ]) as [Tensor];
      before.dispose();
      observe(`single.${i}`, x);
    }
    const [, tokens] = split(x, 1, counts) as [Tensor, Tensor];
    return this.final_layer.forward(tokens, vec);
  }

  /** What can be loaded apart, in the order of the forward pass. */
  *parts(): Generator<Part> {
    yield* this.#embedders();
    yield { path: "img_in", module: this.img_in };
    yield { path: "txt_in", module: this.txt_in };
    yield* this.blocks();
    yield { path: "final_layer", module: this.final_layer };
  }

  /** The blocks, which are most of the weights. */
  *blocks(): Generator<Part> {
    for (const [i, module] of this.double_blocks.entries()) yield { path: `double_blocks.${i}`, module };
    for (const [i, module] of this.single_blocks.entries()) yield { path: `single_blocks.${i}`, module };
  }

  /**
   * Computes once what depends on `inputs` alone, of one sample, which are the only ones from now on: the conditioning
   * vector, with it every modulation, and the text tokens. `load` is given each layer before that is computed; its weights
   * are freed after it: in FLUX.1-dev 3.3 of 11.9 billion.
   */
  async fold(inputs: FixedInputs, load: (part: Part) => Promise<void>): Promise<void> {
    const { txt, y } = inputs;
    for (const part of this.#embedders()) await load(part);
    const vec = scoped(y.gpu, () => this.#vec(inputs));
    abandon(vec);
    for (const { module } of this.#embedders()) {
      for (const [, parameter] of module.parameters()) parameter.retire();
      module.dispose();
    }
    this.#folded = { vec, times: timesOf(inputs) };
    await load({ path: "txt_in", module: this.txt_in });
    this.txt_in.fold(txt);
    using activated = silu(vec);
    for (const part of this.#modulations()) {
      await load(part);
      part.module.fold(activated);
    }
  }

  override dispose(): void {
    super.dispose();
    this.#folded?.vec.dispose();
    this.#folded = undefined;
  }

  *#embedders(): Generator<Part> {
    yield { path: "time_in", module: this.time_in };
    if (this.guidance_in) yield { path: "guidance_in", module: this.guidance_in };
    yield { path: "vector_in", module: this.vector_in };
  }

  /** The layers whose only input is the conditioning vector. */
  *#modulations(): Generator<{ path: string; module: Linear }> {
    for (const [path, module] of this.modules()) {
      if (module instanceof Modulation) yield { path: `${path}.lin`, module: module.lin };
    }
    yield { path: "final_layer.adaLN_modulation.1", module: this.final_layer.adaLN_modulation[1] };
  }

  /** The conditioning vector [B, D]: time, guidance and pooled text. */
  #vec({ y, timesteps, guidance }: Omit<FixedInputs, "txt">): Tensor {
    if (this.#folded) {
      const { vec, times } = this.#folded;
      const given = timesOf({ timesteps, guidance });
      if (given === times) return reshape(vec, vec.shape);
      throw new RangeError(`Cannot run the transformer: it was loaded for ${times} alone: given ${given}`);
    }
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

function timesOf({ timesteps, guidance }: Pick<FixedInputs, "timesteps" | "guidance">): string {
  return `time ${timesteps.join(", ")}${guidance ? ` and guidance ${guidance.join(", ")}` : ""}`;
}
