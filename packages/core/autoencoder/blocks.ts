import { attention, reshape, scoped, type Tensor, upsampleNearest } from "@fluxsr/kernels";
import { Conv2d } from "../nn/conv2d.ts";
import { GroupNorm } from "../nn/group_norm.ts";
import { type Layer, Module } from "../nn/module.ts";

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

  /** `x [B, h, w, in] -> [B, h, w, out]` */
  forward(x: Tensor): Tensor {
    return scoped(x.gpu, () => {
      const h = scoped(x.gpu, () => this.conv1.forward(this.norm1.forward(x, { silu: true })));
      const addend = this.nin_shortcut?.forward(x) ?? x;
      return this.conv2.forward(this.norm2.forward(h, { silu: true }), { addend });
    });
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

  /** `x [B, h, w, C] -> [B, h, w, C]` */
  forward(x: Tensor): Tensor {
    const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
    return scoped(x.gpu, () => {
      const h = this.norm.forward(x, { silu: false });
      const tokens = (layer: Conv2d) => reshape(layer.forward(h), [batch, height * width, 1, channels]);
      const attended = attention(tokens(this.q), tokens(this.k), tokens(this.v));
      return this.proj_out.forward(reshape(attended, x.shape), { addend: x });
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
  get layers(): readonly Layer[] {
    return [this.block_1, this.attn_1, this.block_2];
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

  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

/** Doubles the size: nearest neighbours, then a 3x3 convolution. */
export class Upsample extends Module {
  readonly conv: Conv2d;

  constructor(channels: number) {
    super();
    this.conv = new Conv2d(channels, channels, { size: 3 });
  }

  forward(x: Tensor): Tensor {
    return scoped(x.gpu, () => this.conv.forward(upsampleNearest(x)));
  }
}
