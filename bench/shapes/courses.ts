/**
 * What the peers are raced at: products `[m, k, n]`, 3x3 convolutions `[side, inputs, outputs]` and attention
 * `[tokens, heads, width]`.
 */
export const COURSES = {
  matmul: [
    [512, 512, 512],
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [1024, 192, 576], // the starter's img_qkv, 512 x 512
    [1024, 192, 768], // img_mlp.0
    [1024, 768, 192], // img_mlp.2
    [4096, 192, 576], // img_qkv of a picture of 1024 x 1024
  ],
  conv3x3: [
    [128, 64, 64], // level 2 of the starter's autoencoder, 512 x 512, and the second convolution of LPIPS at 128 x 128
    [256, 32, 32], // level 1
  ],
  attention: [
    [256, 6, 32], // the starter, 256 x 256
    [1024, 6, 32], // 512 x 512
    [1024, 6, 64],
    [1024, 6, 128], // heads of FLUX.1-dev
  ],
} as const;

/** What hardware is raced at too; a software adapter would take minutes. */
export const HARDWARE_COURSES = {
  matmul: [[4096, 3072, 12288]], // FLUX.1-dev's img_mlp.0, 1024 x 1024
  conv3x3: [[512, 256, 256]], // FLUX.1-dev's autoencoder, level 1
  attention: [[4608, 24, 128]], // FLUX.1-dev with text, 1024 x 1024
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
    [1024, 192, 576], // the starter's img_qkv, 512 x 512
    [1024, 192, 768], // img_mlp.0
    [1024, 768, 192], // img_mlp.2
  ],
  attention: [
    [256, 6, 32], // the starter, 256 x 256
    [1024, 6, 32], // 512 x 512
  ],
  // No larger picture: the peers then go wrong on llvmpipe, which ends a loop after 65535 rounds.
  conv3x3: [
    [128, 64, 64], // level 2 of the starter's autoencoder, 512 x 512, and the second convolution of LPIPS at 128 x 128
    [64, 128, 128], // the fourth of LPIPS
  ],
  groupNormSilu: [
    [128, 64, 8], // level 2 of the starter's autoencoder, 512 x 512
    [256, 32, 8], // level 1
  ],
  transformerBlock: [
    [64, 192, 6], // the starter on a training picture of 128 x 128
    [256, 192, 6], // 256 x 256
  ],
} as const;
