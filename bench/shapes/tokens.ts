import type { Row } from "../case.ts";
import { FLUX, FLUX_CLIP, FLUX_SINGLE, FLUX_T5, STARTER } from "./origins.ts";

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
export interface HiddenShape {
  readonly tokens: number;
  readonly hidden: number;
}

/** What GELU is measured at. */
export const GELUS: readonly Row<HiddenShape>[] = [
  { name: "starter.single", origin: STARTER, tokens: 1025, hidden: 768 },
  { name: "flux.single", origin: FLUX_SINGLE, tokens: 4608, hidden: 12288, scaled: { tokens: 1024 } },
];

/** What SiLU alone is measured at: the conditioning of the blocks, and quick GELU of CLIP's MLP, which is made of it. */
export const SILUS: readonly Row<HiddenShape>[] = [
  { name: "starter.vec", origin: `${STARTER}, one vector`, tokens: 1, hidden: 192 },
  { name: "flux.vec", origin: `${FLUX}, one vector`, tokens: 1, hidden: 3072 },
  { name: "flux.clip", origin: FLUX_CLIP, tokens: 77, hidden: 3072 },
  { name: "flux.single", origin: "as GELU, to compare with it", tokens: 4608, hidden: 12288, scaled: { tokens: 1024 } },
];

/** The scores of a text's tokens, `x [1, heads, tokens, tokens]`, of heads of `width`. */
export interface ScoresShape {
  readonly tokens: number;
  readonly heads: number;
  readonly width: number;
}

/** Scores to which something by distance is added. */
export const DISTANCE_SCORES: readonly Row<ScoresShape>[] = [
  { name: "flux.t5", origin: FLUX_T5, tokens: 512, heads: 64, width: 64, scaled: { heads: 16 } },
];

/** Scores to which a mask is added. */
export const MASKED_SCORES: readonly Row<ScoresShape>[] = [
  { name: "flux.clip", origin: FLUX_CLIP, tokens: 77, heads: 12, width: 64 },
];
