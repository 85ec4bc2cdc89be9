import type { InterpolationMode } from "@fluxsr/kernels";
import type { Row } from "../case.ts";
import { LPIPS_SCALED } from "./conv2d.ts";
import { FLUX_VAE, LPIPS, NANO_VAE, STARTER_VAE } from "./origins.ts";

/** Channels last: `x [1, side, side, channels]`. */
export interface PictureShape {
  readonly side: number;
  readonly channels: number;
}

export interface GroupNormShape extends PictureShape {
  readonly groups: number;
  /** Without SiLU after it. */
  readonly plain?: boolean;
}

/** The autoencoder's group norm, with SiLU after it. */
export const GROUP_NORMS: readonly Row<GroupNormShape>[] = [
  { name: "starter.level0", origin: STARTER_VAE, side: 512, channels: 16, groups: 8 },
  { name: "starter.level1", origin: STARTER_VAE, side: 256, channels: 32, groups: 8 },
  { name: "starter.level2", origin: STARTER_VAE, side: 128, channels: 64, groups: 8 },
  { name: "nano.level0", origin: NANO_VAE, side: 192, channels: 32, groups: 8 },
  { name: "nano.level1", origin: NANO_VAE, side: 96, channels: 64, groups: 8 },
  { name: "nano.level2", origin: NANO_VAE, side: 48, channels: 64, groups: 8 },
  { name: "flux.level0", origin: FLUX_VAE, side: 1024, channels: 128, groups: 32, scaled: { side: 256 } },
  { name: "flux.level2", origin: FLUX_VAE, side: 256, channels: 512, groups: 32, scaled: { side: 128 } },
];

/** The same with the statistics of all tiles of a picture. */
export const TILE_NORMS: readonly Row<GroupNormShape>[] = GROUP_NORMS.filter(({ name }) => name.startsWith("nano"));

/** Before the autoencoder's attention, without SiLU. */
export const ATTENTION_NORMS: readonly Row<GroupNormShape>[] = [
  { name: "starter.attn", origin: STARTER_VAE, side: 64, channels: 64, groups: 8, plain: true },
  { name: "nano.attn", origin: NANO_VAE, side: 48, channels: 64, groups: 8, plain: true },
  { name: "flux.attn", origin: FLUX_VAE, side: 128, channels: 512, groups: 32, plain: true },
];

/** From `side` to twice that. */
export const UPSAMPLES: readonly Row<PictureShape>[] = [
  { name: "starter.up1", origin: STARTER_VAE, side: 256, channels: 32 },
  { name: "nano.up1", origin: NANO_VAE, side: 96, channels: 64 },
  { name: "flux.up1", origin: FLUX_VAE, side: 512, channels: 256, scaled: { side: 128 } },
];

/** From `side` to `result`, three channels. */
export const RESIZES: readonly Row<{ readonly side: number; readonly result: number }>[] = [
  { name: "128_to_512", origin: "upscaling x4", side: 128, result: 512 },
  { name: "256_to_1024", origin: "upscaling x4", side: 256, result: 1024 },
  { name: "1024_to_256", origin: "making a training pair", side: 1024, result: 256 },
];

export const BLURS: readonly Row<PictureShape & { readonly dilation: number }>[] = [
  { name: "wavelet.0", origin: "colour fix, finest level", side: 512, channels: 3, dilation: 1 },
  { name: "wavelet.4", origin: "colour fix, coarsest level", side: 512, channels: 3, dilation: 16 },
];

/** How degradations change the size of pictures: to `result`, three channels. */
export interface InterpolationShape {
  readonly mode: InterpolationMode;
  readonly side: number;
  readonly result: number;
}

export const INTERPOLATIONS: readonly Row<InterpolationShape>[] = (["area", "bilinear", "bicubic"] as const).flatMap((
  mode,
) => [
  { name: `${mode}.512_to_128`, origin: "degradation of a training picture", mode, side: 512, result: 128 },
  { name: `${mode}.128_to_192`, origin: "degradation of a training picture", mode, side: 128, result: 192 },
]);

/** What LPIPS compares and pools: the features of its first and last block. */
export const FEATURES: readonly Row<PictureShape>[] = [128, 512].flatMap((side) => {
  const scaled = Math.min(side, LPIPS_SCALED);
  const origin = `${LPIPS}, ${side} x ${side}`;
  return [
    { name: `lpips${side}.relu1_2`, origin, side, channels: 64, scaled: { side: scaled } },
    { name: `lpips${side}.relu5_3`, origin, side: side / 16, channels: 512, scaled: { side: scaled / 16 } },
  ];
});

/** What the losses compare and degradations change: pictures, three channels. */
export const PICTURES: readonly Row<PictureShape>[] = [
  { name: "128", origin: "a training picture", side: 128, channels: 3 },
  { name: "512", origin: "a training picture", side: 512, channels: 3 },
];

/** Taps of the blurs that make training pairs, `size` squared, over three channels. */
export const FILTERS: readonly Row<{ readonly side: number; readonly size: number }>[] = [
  { name: "21", origin: "degradation of a training picture", side: 128, size: 21 },
];
