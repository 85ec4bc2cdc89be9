import { Conv2d } from "../nn/conv2d.ts";
import { GroupNorm, type Tiles } from "../nn/group_norm.ts";
import { Module } from "../nn/module.ts";
import type { AutoencoderConfig } from "../weights/configs.ts";
import { Mid, ResnetBlock, Upsample } from "./blocks.ts";
import { chain, type Observer } from "./chain.ts";

/** One resolution: residual blocks, then a doubling except at the finest. */
class Level extends Module {
  readonly block: readonly ResnetBlock[];
  readonly upsample?: Upsample;

  constructor(block: readonly ResnetBlock[], upsample: Upsample | undefined) {
    super();
    this.block = block;
    if (upsample) this.upsample = upsample;
  }
}

/** Latent to picture. `up` is indexed by level, finest first, and runs from the last to the first. */
export class Decoder extends Module {
  readonly conv_in: Conv2d;
  readonly mid: Mid;
  readonly up: readonly Level[];
  readonly norm_out: GroupNorm;
  readonly conv_out: Conv2d;

  constructor({ ch, ch_mult, num_res_blocks, z_channels, out_ch, norm_num_groups: groups }: AutoencoderConfig) {
    super();
    const widths = ch_mult.map((factor) => factor * ch);
    const widest = widths.at(-1) ?? ch;
    this.conv_in = new Conv2d(z_channels, widest, { size: 3 });
    this.mid = new Mid(widest, groups);
    this.up = widths.map((width, level) => {
      const inputs = widths[level + 1] ?? widest;
      const blocks = Array.from(
        { length: num_res_blocks + 1 },
        (_, j) => new ResnetBlock(j ? width : inputs, width, groups),
      );
      return new Level(blocks, level > 0 ? new Upsample(width) : undefined);
    });
    this.norm_out = new GroupNorm(groups, widths[0] ?? ch);
    this.conv_out = new Conv2d(widths[0] ?? ch, out_ch, { size: 3 });
  }

  /** Tiles [B, h, w, z_channels], unscaled, to pictures [B, 8 h, 8 w, out_ch], not clamped. */
  forward(tiles: Tiles, observe: Observer): Tiles {
    let h: Tiles = tiles.map((z) => this.conv_in.forward(z));
    observe("decoder.conv_in", h);
    h = chain(h, [this.mid.block_1, this.mid.attn_1]);
    observe("decoder.mid.attn_1", h);
    h = chain(h, [this.mid.block_2]);
    observe("decoder.mid", h);
    for (const [i, { block, upsample }] of [...this.up.entries()].toReversed()) {
      h = chain(h, upsample ? [...block, upsample] : block);
      observe(`decoder.up.${i}`, h);
    }
    const pictures = this.norm_out.forward(h, { silu: true }, (x) => this.conv_out.forward(x));
    for (const value of h) value.dispose();
    return pictures;
  }
}
