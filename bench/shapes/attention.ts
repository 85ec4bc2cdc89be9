import type { Row } from "../case.ts";
import { NANO, NANO_VAE } from "./origins.ts";

/** `q, k, v [1, tokens, heads, width]` */
export interface AttentionShape {
  readonly tokens: number;
  readonly heads: number;
  readonly width: number;
}

export const ATTENTIONS: readonly Row<AttentionShape>[] = [
  { name: "starter.256", origin: "starter model, 256 x 256", tokens: 256, heads: 6, width: 32 },
  { name: "starter.1024", origin: "starter model, 512 x 512", tokens: 1024, heads: 6, width: 32 },
  { name: "starter.4096", origin: "starter model, 1024 x 1024", tokens: 4096, heads: 6, width: 32 },
  { name: "starter.vae", origin: "starter's autoencoder, 512 x 512", tokens: 4096, heads: 1, width: 64 },
  { name: "nano.tile", origin: `${NANO}, and one of text`, tokens: 577, heads: 6, width: 32 },
  { name: "nano.vae", origin: NANO_VAE, tokens: 2304, heads: 1, width: 64 },
  { name: "flux.256", origin: "FLUX.1-dev, 256 x 256", tokens: 256, heads: 24, width: 128 },
  { name: "flux.1024", origin: "FLUX.1-dev, 512 x 512", tokens: 1024, heads: 24, width: 128, scaled: { heads: 6 } },
  { name: "flux.4096", origin: "FLUX.1-dev, 1024 x 1024", tokens: 4096, heads: 24, width: 128, scaled: { heads: 1 } },
  {
    name: "flux.4608",
    origin: "FLUX.1-dev with text, 1024 x 1024",
    tokens: 4608,
    heads: 24,
    width: 128,
    scaled: { tokens: 1152, heads: 6 },
  },
  {
    name: "flux.vae",
    origin: "FLUX.1-dev's autoencoder, 512 x 512",
    tokens: 4096,
    heads: 1,
    width: 512,
    scaled: { tokens: 1024 },
  },
];
