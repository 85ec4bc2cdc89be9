/** Where shapes are from. nano is the bundled model, which takes pictures tile by tile, in training too. */
export const STARTER = "starter model: width 192, 1024 tokens (a picture of 512 x 512)";
export const STARTER_LARGE = "starter model: width 192, 4096 tokens (a picture of 1024 x 1024)";
export const NANO = "nano: width 192, 576 tokens (a tile of 192 x 192)";
export const FLUX = "FLUX.1-dev: width 3072, 4096 tokens (a picture of 1024 x 1024)";
export const FLUX_SINGLE = "FLUX.1-dev: single block, 4096 tokens and 512 of text";
export const STARTER_VAE = "starter's autoencoder, 512 x 512";
export const NANO_VAE = "nano's autoencoder, a tile of 192 x 192";
export const FLUX_VAE = "FLUX.1-dev's autoencoder, 1024 x 1024";
export const LPIPS = "VGG16 of LPIPS";
export const FLUX_CLIP = "text_encoder of FLUX.1-dev, CLIP ViT-L, 77 tokens";
export const FLUX_T5 = "text_encoder_2 of FLUX.1-dev, T5-XXL, 512 tokens";
