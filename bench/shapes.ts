/** The shapes that matter, each with where it is from; `scaled` is what a software adapter does instead. */
import type { Row } from "./case.ts";

/** `a [m, k] b [k, n] -> [m, n]`; `b` is f32 unless said, and [n, k] if transposed. */
export interface MatmulShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeB?: boolean;
  readonly dtype?: "bf16";
}

const SQUARE = "square, to compare with others";
const STARTER = "bundled model: width 192, 1024 tokens (a picture of 512 x 512)";
const STARTER_LARGE = "bundled model: width 192, 4096 tokens (a picture of 1024 x 1024)";
const FLUX = "FLUX.1-dev: width 3072, 4096 tokens (a picture of 1024 x 1024), bf16 weights";
const FLUX_SINGLE = "FLUX.1-dev: single block, 4096 tokens and 512 of text, bf16 weights";

const SQUARES: readonly Row<MatmulShape>[] = [
  { name: "512", origin: SQUARE, m: 512, k: 512, n: 512 },
  { name: "1024", origin: SQUARE, m: 1024, k: 1024, n: 1024 },
  { name: "2048", origin: SQUARE, m: 2048, k: 2048, n: 2048 },
];

const LINEARS: readonly Row<MatmulShape>[] = [
  { name: "starter.img_qkv", origin: STARTER, m: 1024, k: 192, n: 576 },
  { name: "starter.img_proj", origin: STARTER, m: 1024, k: 192, n: 192 },
  { name: "starter.img_mlp.0", origin: STARTER, m: 1024, k: 192, n: 768 },
  { name: "starter.img_mlp.2", origin: STARTER, m: 1024, k: 768, n: 192 },
  { name: "starter.linear1", origin: STARTER, m: 1025, k: 192, n: 1344 },
  { name: "starter.linear2", origin: STARTER, m: 1025, k: 960, n: 192 },
  { name: "starter.img_qkv_large", origin: STARTER_LARGE, m: 4096, k: 192, n: 576 },
  { name: "flux.img_mod", origin: `${FLUX}, one vector`, m: 1, k: 3072, n: 18432, dtype: "bf16" },
  { name: "flux.img_qkv", origin: FLUX, m: 4096, k: 3072, n: 9216, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.img_proj", origin: FLUX, m: 4096, k: 3072, n: 3072, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.img_mlp.0", origin: FLUX, m: 4096, k: 3072, n: 12288, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.img_mlp.2", origin: FLUX, m: 4096, k: 12288, n: 3072, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.linear1", origin: FLUX_SINGLE, m: 4608, k: 3072, n: 21504, dtype: "bf16", scaled: { m: 64 } },
  { name: "flux.linear2", origin: FLUX_SINGLE, m: 4608, k: 15360, n: 3072, dtype: "bf16", scaled: { m: 64 } },
];

/** Weights of linear layers are [n, k], as checkpoints have them. */
export const MATMULS: readonly Row<MatmulShape>[] = [
  ...SQUARES,
  ...LINEARS.map((row) => ({ ...row, transposeB: true })),
];

/** Backward passes of linear layers with f32 weights: packed weights are frozen. */
export const LINEAR_BACKWARDS: readonly Row<MatmulShape>[] = [
  ...SQUARES.filter(({ m }) => m <= 1024),
  ...LINEARS.filter(({ name }) => name.startsWith("starter.")),
];

/** `q, k, v [1, tokens, heads, width]` */
export interface AttentionShape {
  readonly tokens: number;
  readonly heads: number;
  readonly width: number;
}

export const ATTENTIONS: readonly Row<AttentionShape>[] = [
  { name: "starter.256", origin: "bundled model, 256 x 256", tokens: 256, heads: 6, width: 32 },
  { name: "starter.1024", origin: "bundled model, 512 x 512", tokens: 1024, heads: 6, width: 32 },
  { name: "starter.4096", origin: "bundled model, 1024 x 1024", tokens: 4096, heads: 6, width: 32 },
  { name: "starter.vae", origin: "bundled autoencoder, 512 x 512", tokens: 4096, heads: 1, width: 64 },
  { name: "flux.256", origin: "FLUX.1-dev, 256 x 256", tokens: 256, heads: 24, width: 128 },
  { name: "flux.1024", origin: "FLUX.1-dev, 512 x 512", tokens: 1024, heads: 24, width: 128, scaled: { heads: 6 } },
  { name: "flux.4096", origin: "FLUX.1-dev, 1024 x 1024", tokens: 4096, heads: 24, width: 128, scaled: { heads: 1 } },
  {
    name: "flux.vae",
    origin: "FLUX.1-dev's autoencoder, 512 x 512",
    tokens: 4096,
    heads: 1,
    width: 512,
    scaled: { tokens: 1024 },
  },
];

/** 3x3, `x [1, side, side, inputs] -> [1, side / stride, side / stride, outputs]`, padding 1 in all. */
export interface Conv3x3Shape {
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride?: 1 | 2;
}

const STARTER_VAE = "bundled autoencoder, 512 x 512";
const FLUX_VAE = "FLUX.1-dev's autoencoder, 1024 x 1024";

export const CONVOLUTIONS: readonly Row<Conv3x3Shape>[] = [
  { name: "starter.conv_in", origin: STARTER_VAE, side: 512, inputs: 3, outputs: 16 },
  { name: "starter.level0", origin: STARTER_VAE, side: 512, inputs: 16, outputs: 16 },
  { name: "starter.down0", origin: STARTER_VAE, side: 512, inputs: 16, outputs: 16, stride: 2 },
  { name: "starter.level1", origin: STARTER_VAE, side: 256, inputs: 32, outputs: 32 },
  { name: "starter.level2", origin: STARTER_VAE, side: 128, inputs: 64, outputs: 64 },
  { name: "starter.level3", origin: STARTER_VAE, side: 64, inputs: 64, outputs: 64 },
  { name: "starter.up1", origin: STARTER_VAE, side: 512, inputs: 32, outputs: 32 },
  { name: "starter.conv_out", origin: STARTER_VAE, side: 512, inputs: 16, outputs: 3 },
  { name: "flux.conv_in", origin: FLUX_VAE, side: 1024, inputs: 3, outputs: 128, scaled: { side: 256 } },
  { name: "flux.level0", origin: FLUX_VAE, side: 1024, inputs: 128, outputs: 128, scaled: { side: 128 } },
  { name: "flux.down0", origin: FLUX_VAE, side: 1024, inputs: 128, outputs: 128, stride: 2, scaled: { side: 128 } },
  { name: "flux.level1", origin: FLUX_VAE, side: 512, inputs: 256, outputs: 256, scaled: { side: 64 } },
  { name: "flux.level2", origin: FLUX_VAE, side: 256, inputs: 512, outputs: 512, scaled: { side: 32 } },
  { name: "flux.conv_out", origin: FLUX_VAE, side: 1024, inputs: 128, outputs: 3, scaled: { side: 256 } },
];

/** Backward passes of convolutions: the decoder's all have stride 1. */
export const CONVOLUTION_BACKWARDS: readonly Row<Conv3x3Shape>[] = CONVOLUTIONS.filter(({ stride = 1 }) =>
  stride === 1
);

/** Channels last: `x [1, side, side, channels]`. */
export interface PictureShape {
  readonly side: number;
  readonly channels: number;
}

export interface GroupNormShape extends PictureShape {
  readonly groups: number;
}

/** The autoencoder's group norm, with SiLU after it. */
export const GROUP_NORMS: readonly Row<GroupNormShape>[] = [
  { name: "starter.level0", origin: STARTER_VAE, side: 512, channels: 16, groups: 8 },
  { name: "starter.level1", origin: STARTER_VAE, side: 256, channels: 32, groups: 8 },
  { name: "starter.level2", origin: STARTER_VAE, side: 128, channels: 64, groups: 8 },
  { name: "flux.level0", origin: FLUX_VAE, side: 1024, channels: 128, groups: 32, scaled: { side: 256 } },
  { name: "flux.level2", origin: FLUX_VAE, side: 256, channels: 512, groups: 32, scaled: { side: 128 } },
];

/** From `side` to twice that. */
export const UPSAMPLES: readonly Row<PictureShape>[] = [
  { name: "starter.up1", origin: STARTER_VAE, side: 256, channels: 32 },
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

/** `x [1, tokens, width]`; heads are `[1, tokens, heads, width / heads]`. */
export interface TokensShape {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
}

/** What layer norm, RMS norm, rotation and gate are measured at. */
export const TOKENS: readonly Row<TokensShape>[] = [
  { name: "starter", origin: STARTER, tokens: 1024, width: 192, heads: 6 },
  { name: "flux", origin: FLUX, tokens: 4096, width: 3072, heads: 24, scaled: { tokens: 2048 } },
];

/** `x [tokens, hidden]` */
export const GELUS: readonly Row<{ readonly tokens: number; readonly hidden: number }>[] = [
  { name: "starter.single", origin: STARTER, tokens: 1025, hidden: 768 },
  { name: "flux.single", origin: FLUX_SINGLE, tokens: 4608, hidden: 12288, scaled: { tokens: 1024 } },
];

/** What the peers are raced at: products `[m, k, n]` and 3x3 convolutions `[side, inputs, outputs]`. */
export const COURSES = {
  matmul: [
    [512, 512, 512],
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [1024, 192, 768], // the bundled model's img_mlp.0
    [1024, 768, 192], // img_mlp.2
    [4096, 192, 576], // img_qkv of a picture of 1024 x 1024
  ],
  conv3x3: [
    [128, 64, 64], // the bundled autoencoder's level 2
    [256, 32, 32], // level 1
  ],
} as const;

/**
 * The same forward and backward: products `[m, k, n]` with weights [n, k], attention `[tokens, heads, width]`, 3x3
 * convolutions `[side, inputs, outputs]`, group norm with SiLU `[side, channels, groups]`, transformer blocks
 * `[tokens, width, heads]`.
 */
export const GRADIENT_COURSES = {
  linear: [
    [512, 512, 512],
    [1024, 1024, 1024],
    [1024, 192, 576], // the bundled model's img_qkv
    [1024, 192, 768], // img_mlp.0
    [1024, 768, 192], // img_mlp.2
  ],
  attention: [
    [256, 6, 32], // the bundled model, 256 x 256
    [1024, 6, 32], // 512 x 512
  ],
  conv3x3: [
    [128, 64, 64], // the bundled autoencoder's level 2, and the second convolution of LPIPS at 128 x 128
    [64, 128, 128], // the fourth of LPIPS
  ],
  groupNormSilu: [
    [128, 64, 8], // the bundled autoencoder's level 2
    [256, 32, 8], // level 1
  ],
  transformerBlock: [
    [64, 192, 6], // the bundled model on a training picture of 128 x 128
    [256, 192, 6], // 256 x 256
  ],
} as const;
