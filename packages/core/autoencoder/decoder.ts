import { Conv2d } from "../nn/conv2d.ts";
import { GroupNorm } from "../nn/group_norm.ts";
import { Module } from "../nn/module.ts";
import type { AutoencoderConfig } from "../model_folder/configs.ts";
import { Each, Head, Mid, ResnetBlock, Upsample } from "./blocks.ts";
import { named, type Step } from "./chain.ts";

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

  /** From tiles [B, h, w, z_channels], unscaled, to pictures [B, f h, f w, out_ch], f = 2^(levels - 1), not clamped. */
  get steps(): readonly Step[] {
    const [block_1, attn_1, block_2] = this.mid.layers;
    return [
      { layer: new Each(this.conv_in), name: "decoder.conv_in" },
      { layer: block_1 },
      { layer: attn_1, name: "decoder.mid.attn_1" },
      { layer: block_2, name: "decoder.mid" },
      ...[...this.up.entries()].toReversed().flatMap(([i, { block, upsample }]) =>
        named(`decoder.up.${i}`, upsample ? [...block, upsample] : block)
      ),
      { layer: new Head(this.norm_out, this.conv_out) },
    ];
  }
}
