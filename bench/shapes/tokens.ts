import type { Row } from "../case.ts";
import { FLUX, FLUX_SINGLE, FLUX_T5, STARTER } from "./origins.ts";

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

/** The scores of a text's tokens, `x [1, heads, tokens, tokens]`. */
export interface ScoresShape {
  readonly tokens: number;
  readonly heads: number;
}

/** What softmax is measured at. */
export const SCORES: readonly Row<ScoresShape>[] = [
  { name: "flux.t5", origin: FLUX_T5, tokens: 512, heads: 64, scaled: { heads: 16 } },
];
