import { Conv2d } from "../nn/conv2d.ts";
import { GroupNorm } from "../nn/group_norm.ts";
import { Module } from "../nn/module.ts";
import type { AutoencoderConfig } from "../model_folder/configs.ts";
import { Downsample, Each, Head, Mid, ResnetBlock } from "./blocks.ts";
import { named, type Step } from "./chain.ts";

/** One resolution: residual blocks, then a halving except at the last. */
class Level extends Module {
  readonly block: readonly ResnetBlock[];
  readonly downsample?: Downsample;

  constructor(block: readonly ResnetBlock[], downsample: Downsample | undefined) {
    super();
    this.block = block;
    if (downsample) this.downsample = downsample;
  }
}

/** Picture to moments. */
export class Encoder extends Module {
  readonly conv_in: Conv2d;
  readonly down: readonly Level[];
  readonly mid: Mid;
  readonly norm_out: GroupNorm;
  readonly conv_out: Conv2d;

  constructor({ in_channels, ch, ch_mult, num_res_blocks, z_channels, norm_num_groups: groups }: AutoencoderConfig) {
    super();
    const widths = ch_mult.map((factor) => factor * ch);
    const widest = widths.at(-1) ?? ch;
    this.conv_in = new Conv2d(in_channels, ch, { size: 3 });
    this.down = widths.map((width, level) => {
      const inputs = widths[level - 1] ?? ch;
      const blocks = Array.from(
        { length: num_res_blocks },
        (_, j) => new ResnetBlock(j ? width : inputs, width, groups),
      );
      return new Level(blocks, level < widths.length - 1 ? new Downsample(width) : undefined);
    });
    this.mid = new Mid(widest, groups);
    this.norm_out = new GroupNorm(groups, widest);
    this.conv_out = new Conv2d(widest, 2 * z_channels, { size: 3 });
  }

  /**
   * From tiles [B, h, w, in_channels] in [-1, 1] to moments [B, h/f, w/f, 2 z_channels], f = 2^(levels - 1): mean, then log
   * variance.
   */
  get steps(): readonly Step[] {
    return [
      { layer: new Each(this.conv_in) },
      ...this.down.flatMap(({ block, downsample }, i) =>
        named(`encoder.down.${i}`, downsample ? [...block, downsample] : block)
      ),
      ...named("encoder.mid", this.mid.layers),
      { layer: new Head(this.norm_out, this.conv_out) },
    ];
  }
}
