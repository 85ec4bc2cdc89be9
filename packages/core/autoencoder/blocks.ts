import { attention, reshape, scoped, upsampleNearest } from "@fluxsr/kernels";
import { Conv2d } from "../nn/conv2d.ts";
import { GroupNorm, type Tiles } from "../nn/group_norm.ts";
import { Module } from "../nn/module.ts";

/** A part of the autoencoder, from tiles of a picture to as many tiles. */
export interface Layer {
  /** In the order in which they run. */
  readonly norms: readonly GroupNorm[];
  forward(tiles: Tiles): Tiles;
}

/** `x + conv2(swish(norm2(conv1(swish(norm1(x))))))`; x passes a 1x1 convolution where the channels change. */
export class ResnetBlock extends Module {
  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly nin_shortcut?: Conv2d;

  constructor(inputs: number, outputs: number, groups: number) {
    super();
    this.norm1 = new GroupNorm(groups, inputs);
    this.conv1 = new Conv2d(inputs, outputs, { size: 3 });
    this.norm2 = new GroupNorm(groups, outputs);
    this.conv2 = new Conv2d(outputs, outputs, { size: 3 });
    if (inputs !== outputs) this.nin_shortcut = new Conv2d(inputs, outputs, { size: 1 });
  }

  get norms(): readonly GroupNorm[] {
    return [this.norm1, this.norm2];
  }

  /** Tiles [B, h, w, in] to [B, h, w, out]. */
  forward(tiles: Tiles): Tiles {
    const h = this.norm1.forward(tiles, { silu: true }, (x) => this.conv1.forward(x));
    const y = this.norm2.forward(h, { silu: true }, (x, i) => {
      const tile = tiles[i]!;
      return this.conv2.forward(x, { addend: this.nin_shortcut?.forward(tile) ?? tile });
    });
    for (const value of h) value.dispose();
    return y;
  }
}

/** Single-head attention over all positions, with residual. */
export class AttnBlock extends Module {
  readonly norm: GroupNorm;
  readonly q: Conv2d;
  readonly k: Conv2d;
  readonly v: Conv2d;
  readonly proj_out: Conv2d;

  constructor(channels: number, groups: number) {
    super();
    this.norm = new GroupNorm(groups, channels);
    this.q = new Conv2d(channels, channels, { size: 1 });
    this.k = new Conv2d(channels, channels, { size: 1 });
    this.v = new Conv2d(channels, channels, { size: 1 });
    this.proj_out = new Conv2d(channels, channels, { size: 1 });
  }

  get norms(): readonly GroupNorm[] {
    return [this.norm];
  }

  /** Tiles [B, h, w, C] to the same shape; every tile attends to itself. */
  forward(tiles: Tiles): Tiles {
    return this.norm.forward(tiles, { silu: false }, (h, i) => {
      const [batch = 0, height = 0, width = 0, channels = 0] = h.shape;
      const tokens = (layer: Conv2d) => reshape(layer.forward(h), [batch, height * width, 1, channels]);
      const attended = attention(tokens(this.q), tokens(this.k), tokens(this.v));
      return this.proj_out.forward(reshape(attended, h.shape), { addend: tiles[i]! });
    });
  }
}

/** The coarsest level of both halves. */
export class Mid extends Module {
  readonly block_1: ResnetBlock;
  readonly attn_1: AttnBlock;
  readonly block_2: ResnetBlock;

  constructor(channels: number, groups: number) {
    super();
    this.block_1 = new ResnetBlock(channels, channels, groups);
    this.attn_1 = new AttnBlock(channels, groups);
    this.block_2 = new ResnetBlock(channels, channels, groups);
  }

  /** In the order in which they run. */
  get layers(): readonly [ResnetBlock, AttnBlock, ResnetBlock] {
    return [this.block_1, this.attn_1, this.block_2];
  }
}

/** A convolution of every tile. */
export class Each implements Layer {
  readonly norms: readonly GroupNorm[] = [];
  readonly #conv: Conv2d;

  constructor(conv: Conv2d) {
    this.#conv = conv;
  }

  forward(tiles: Tiles): Tiles {
    return tiles.map((x) => this.#conv.forward(x));
  }
}

/** The end of both halves: `conv(swish(norm(x)))`. */
export class Head implements Layer {
  readonly norms: readonly [GroupNorm];
  readonly #conv: Conv2d;

  constructor(norm: GroupNorm, conv: Conv2d) {
    this.norms = [norm];
    this.#conv = conv;
  }

  forward(tiles: Tiles): Tiles {
    return this.norms[0].forward(tiles, { silu: true }, (x) => this.#conv.forward(x));
  }
}

/** Halves the size: a zero column right and row below, then a 3x3 convolution with stride 2. */
export class Downsample extends Module {
  readonly conv: Conv2d;

  constructor(channels: number) {
    super();
    this.conv = new Conv2d(channels, channels, {
      size: 3,
      stride: 2,
      padding: { top: 0, left: 0, bottom: 1, right: 1 },
    });
  }

  get norms(): readonly GroupNorm[] {
    return [];
  }

  forward(tiles: Tiles): Tiles {
    return tiles.map((x) => this.conv.forward(x));
  }
}

/** Doubles the size: nearest neighbours, then a 3x3 convolution. */
export class Upsample extends Module {
  readonly conv: Conv2d;

  constructor(channels: number) {
    super();
    this.conv = new Conv2d(channels, channels, { size: 3 });
  }

  get norms(): readonly GroupNorm[] {
    return [];
  }

  forward(tiles: Tiles): Tiles {
    return tiles.map((x) => scoped(x.gpu, () => this.conv.forward(upsampleNearest(x))));
  }
}
