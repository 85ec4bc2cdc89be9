import type { Row } from "../case.ts";
import { FLUX_VAE, LPIPS, NANO_VAE, STARTER_VAE } from "./origins.ts";

/**
 * `x [1, side, side, inputs], weight [size, size, inputs, outputs] -> [1, side / stride, side / stride, outputs]`: a 3x3
 * kernel, padded by 1 in all along an axis with stride 2 and by 1 at each end else; or a 1x1 kernel.
 */
export interface ConvShape {
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Default 3. */
  readonly size?: 1 | 3;
  readonly stride?: 1 | 2;
  /** Bias and ReLU with it, and weights that are never trained, as in LPIPS. */
  readonly relu?: boolean;
}

const AUTOENCODERS: readonly Row<ConvShape>[] = [
  { name: "starter.conv_in", origin: STARTER_VAE, side: 512, inputs: 3, outputs: 16 },
  { name: "starter.level0", origin: STARTER_VAE, side: 512, inputs: 16, outputs: 16 },
  { name: "starter.down0", origin: STARTER_VAE, side: 512, inputs: 16, outputs: 16, stride: 2 },
  { name: "starter.shortcut1", origin: STARTER_VAE, side: 256, inputs: 16, outputs: 32, size: 1 },
  { name: "starter.level1", origin: STARTER_VAE, side: 256, inputs: 32, outputs: 32 },
  { name: "starter.level2", origin: STARTER_VAE, side: 128, inputs: 64, outputs: 64 },
  { name: "starter.level3", origin: STARTER_VAE, side: 64, inputs: 64, outputs: 64 },
  { name: "starter.up1", origin: STARTER_VAE, side: 512, inputs: 32, outputs: 32 },
  { name: "starter.conv_out", origin: STARTER_VAE, side: 512, inputs: 16, outputs: 3 },
  { name: "nano.conv_in", origin: NANO_VAE, side: 192, inputs: 3, outputs: 32 },
  { name: "nano.level0", origin: NANO_VAE, side: 192, inputs: 32, outputs: 32 },
  { name: "nano.down0", origin: NANO_VAE, side: 192, inputs: 32, outputs: 32, stride: 2 },
  { name: "nano.shortcut1", origin: NANO_VAE, side: 96, inputs: 32, outputs: 64, size: 1 },
  { name: "nano.level1", origin: NANO_VAE, side: 96, inputs: 64, outputs: 64 },
  { name: "nano.level2", origin: NANO_VAE, side: 48, inputs: 64, outputs: 64 },
  { name: "nano.up1", origin: NANO_VAE, side: 192, inputs: 64, outputs: 64 },
  { name: "nano.conv_out", origin: NANO_VAE, side: 192, inputs: 32, outputs: 3 },
  { name: "flux.conv_in", origin: FLUX_VAE, side: 1024, inputs: 3, outputs: 128, scaled: { side: 256 } },
  { name: "flux.level0", origin: FLUX_VAE, side: 1024, inputs: 128, outputs: 128, scaled: { side: 128 } },
  { name: "flux.down0", origin: FLUX_VAE, side: 1024, inputs: 128, outputs: 128, stride: 2, scaled: { side: 128 } },
  { name: "flux.shortcut1", origin: FLUX_VAE, side: 512, inputs: 128, outputs: 256, size: 1, scaled: { side: 128 } },
  { name: "flux.level1", origin: FLUX_VAE, side: 512, inputs: 256, outputs: 256, scaled: { side: 64 } },
  { name: "flux.level2", origin: FLUX_VAE, side: 256, inputs: 512, outputs: 512, scaled: { side: 32 } },
  { name: "flux.conv_out", origin: FLUX_VAE, side: 1024, inputs: 128, outputs: 3, scaled: { side: 256 } },
];

/** The first convolution of LPIPS, and the last of each of its blocks, for a picture of `side` squared. */
function lpips(side: number): Row<ConvShape>[] {
  const block = (name: string, level: number, inputs: number, outputs: number) => ({
    name: `lpips${side}.${name}`,
    origin: `${LPIPS}, ${side} x ${side}`,
    side: side / 2 ** level,
    inputs,
    outputs,
    relu: true,
    scaled: { side: Math.min(side, LPIPS_SCALED) / 2 ** level },
  });
  return [
    block("conv1_1", 0, 3, 64),
    block("conv1_2", 0, 64, 64),
    block("conv2_2", 1, 128, 128),
    block("conv3_3", 2, 256, 256),
    block("conv4_3", 3, 512, 512),
    block("conv5_3", 4, 512, 512),
  ];
}

/** The side of the largest picture that a software adapter takes through LPIPS. */
export const LPIPS_SCALED = 256;

/** The autoencoders' levels, and LPIPS on a training picture and on a larger one. */
export const CONVOLUTIONS: readonly Row<ConvShape>[] = [...AUTOENCODERS, ...lpips(128), ...lpips(512)];
