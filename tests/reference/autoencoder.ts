import type { AutoencoderConfig } from "../../packages/core/model_folder/configs.ts";
import { silu } from "./activation.ts";
import type { Weights } from "./mmdit.ts";

/** One picture or feature map, channels first: `values [channels, height, width]`. */
export interface Plane {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: readonly number[];
}

/** Options of a 1x1 convolution. */
const POINTWISE = { size: 1, before: 0, after: 0 };

/** FLUX's autoencoder in plain loops on one picture; values of interest go to `results` by name. */
export function autoencoder(config: AutoencoderConfig, weights: Weights, results = new Map<string, Plane>()) {
  const { ch_mult, num_res_blocks, norm_num_groups: groups, scale_factor, shift_factor, z_channels } = config;
  const levels = [...ch_mult.keys()];

  function weight(name: string): ArrayLike<number> {
    const found = weights.get(name);
    if (!found) throw new Error(`the reference needs "${name}"`);
    return found.values;
  }

  /** Zeros around the picture: `before` above and left, `after` below and right. */
  function conv(x: Plane, name: string, { size = 3, stride = 1, before = 1, after = 1 } = {}): Plane {
    const w = weight(`${name}.weight`), bias = weight(`${name}.bias`);
    const [height, width] = [x.height, x.width].map((side) => Math.floor((side + before + after - size) / stride) + 1);
    const values: number[] = [];
    for (let out = 0; out < bias.length; out++) {
      for (let row = 0; row < height!; row++) {
        for (let column = 0; column < width!; column++) {
          let sum = bias[out]!;
          for (let c = 0; c < x.channels; c++) {
            for (let i = 0; i < size; i++) {
              for (let j = 0; j < size; j++) {
                const [y, z] = [row * stride + i - before, column * stride + j - before];
                if (y < 0 || z < 0 || y >= x.height || z >= x.width) continue;
                sum += w[((out * x.channels + c) * size + i) * size + j]! * x.values[(c * x.height + y) * x.width + z]!;
              }
            }
          }
          values.push(sum);
        }
      }
    }
    return { channels: bias.length, height: height!, width: width!, values };
  }

  function norm(x: Plane, name: string): Plane {
    const scale = weight(`${name}.weight`), bias = weight(`${name}.bias`);
    const area = x.height * x.width, count = x.values.length / groups;
    const values = Array.from({ length: groups }, (_, group) => {
      const part = x.values.slice(group * count, (group + 1) * count);
      const mean = part.reduce((sum, value) => sum + value, 0) / count;
      const variance = part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      return part.map((value) => (value - mean) / Math.sqrt(variance + 1e-6));
    }).flat();
    const at = (i: number) => Math.floor(i / area);
    return { ...x, values: values.map((value, i) => value * scale[at(i)]! + bias[at(i)]!) };
  }

  const swish = (x: Plane): Plane => ({ ...x, values: x.values.map(silu) });
  const add = (x: Plane, y: Plane): Plane => ({ ...x, values: x.values.map((value, i) => value + y.values[i]!) });

  function resnet(x: Plane, name: string): Plane {
    const h = conv(swish(norm(x, `${name}.norm1`)), `${name}.conv1`);
    const y = conv(swish(norm(h, `${name}.norm2`)), `${name}.conv2`);
    return add(x.channels === y.channels ? x : conv(x, `${name}.nin_shortcut`, POINTWISE), y);
  }

  function attention(x: Plane, name: string): Plane {
    const h = norm(x, `${name}.norm`);
    const [q, k, v] = ["q", "k", "v"].map((part) => conv(h, `${name}.${part}`, POINTWISE).values);
    const area = x.height * x.width;
    const values = Array<number>(x.values.length).fill(0);
    for (let i = 0; i < area; i++) {
      const powers = Array.from({ length: area }, (_, j) => {
        let score = 0;
        for (let c = 0; c < x.channels; c++) score += q![c * area + i]! * k![c * area + j]!;
        return Math.exp(score / Math.sqrt(x.channels));
      });
      const total = powers.reduce((sum, power) => sum + power, 0);
      for (let c = 0; c < x.channels; c++) {
        values[c * area + i] = powers.reduce((sum, power, j) => sum + power * v![c * area + j]!, 0) / total;
      }
    }
    return add(x, conv({ ...x, values }, `${name}.proj_out`, POINTWISE));
  }

  function doubled(x: Plane): Plane {
    const [height, width] = [2 * x.height, 2 * x.width];
    const values = Array.from({ length: 4 * x.values.length }, (_, i) => {
      const [c, row, column] = [Math.floor(i / height / width), Math.floor(i / width) % height, i % width];
      return x.values[(c * x.height + Math.floor(row / 2)) * x.width + Math.floor(column / 2)]!;
    });
    return { ...x, height, width, values };
  }

  function note(name: string, x: Plane): Plane {
    results.set(name, x);
    return x;
  }

  function encode(picture: Plane): Plane {
    let h = conv(picture, "encoder.conv_in");
    for (const level of levels) {
      for (let j = 0; j < num_res_blocks; j++) h = resnet(h, `encoder.down.${level}.block.${j}`);
      if (level < levels.length - 1) {
        h = conv(h, `encoder.down.${level}.downsample.conv`, { stride: 2, before: 0, after: 1 });
      }
      note(`encoder.down.${level}`, h);
    }
    h = resnet(attention(resnet(h, "encoder.mid.block_1"), "encoder.mid.attn_1"), "encoder.mid.block_2");
    note("encoder.mid", h);
    const moments = note("moments", conv(swish(norm(h, "encoder.norm_out")), "encoder.conv_out"));
    const mean = moments.values.slice(0, moments.values.length / 2);
    const values = mean.map((value) => scale_factor * (value - shift_factor));
    return note("latent", { ...moments, channels: z_channels, values });
  }

  function decode(z: Plane): Plane {
    let h = conv({ ...z, values: z.values.map((value) => value / scale_factor + shift_factor) }, "decoder.conv_in");
    note("decoder.conv_in", h);
    h = note("decoder.mid.attn_1", attention(resnet(h, "decoder.mid.block_1"), "decoder.mid.attn_1"));
    h = note("decoder.mid", resnet(h, "decoder.mid.block_2"));
    for (const level of levels.toReversed()) {
      for (let j = 0; j <= num_res_blocks; j++) h = resnet(h, `decoder.up.${level}.block.${j}`);
      if (level > 0) h = conv(doubled(h), `decoder.up.${level}.upsample.conv`);
      note(`decoder.up.${level}`, h);
    }
    return note("decoded", conv(swish(norm(h, "decoder.norm_out")), "decoder.conv_out"));
  }

  return { encode, decode };
}
