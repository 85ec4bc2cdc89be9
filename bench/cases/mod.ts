import { type Case, fit, type Row } from "../case.ts";
import { ATTENTIONS } from "../shapes/attention.ts";
import { CONVOLUTIONS } from "../shapes/conv2d.ts";
import { FUSED, LINEAR_BACKWARDS, MATMULS } from "../shapes/matmul.ts";
import {
  ATTENTION_NORMS,
  BLURS,
  FEATURES,
  FILTERS,
  GROUP_NORMS,
  INTERPOLATIONS,
  PICTURES,
  RESIZES,
  TILE_NORMS,
  UPSAMPLES,
} from "../shapes/pictures.ts";
import { DISTANCE_SCORES, GELUS, MASKED_SCORES, SILUS, TOKENS } from "../shapes/tokens.ts";
import { WEIGHTS } from "../shapes/weights.ts";
import { attentionCase } from "./attention.ts";
import { attentionBackwardCase } from "./attention_backward.ts";
import { convBackwardCases, convCase } from "./conv2d.ts";
import { concatCases, permuteCases } from "./copies.ts";
import { elementwiseCases } from "./elements.ts";
import { featureDistanceCases, l2PoolCase, maxPoolCases, reluCases } from "./features.ts";
import { groupNormBackwardCase } from "./group_norm_backward.ts";
import { matmulCase } from "./matmul.ts";
import { matmulBackwardCases } from "./matmul_backward.ts";
import { matmulFusedCase } from "./matmul_fused.ts";
import { noiseCase, poissonCases } from "./noise.ts";
import { groupNormApplyCase, groupNormCase, totalVariationCases, upsampleCases } from "./picture.ts";
import { blurCases, filterCase, interpolateCase, resizeCases } from "./resampling.ts";
import { distanceSoftmaxCase, maskedSoftmaxCase, softmaxCases } from "./softmax.ts";
import { stepCases } from "./steps.ts";
import { groupNormStatsCase, meanStdCase, sumCases } from "./sums.ts";
import { distanceAttentionCase, maskedAttentionCase } from "./text_attention.ts";
import {
  cosineCases,
  gateCases,
  geluCases,
  layerNormCases,
  rmsNormCases,
  rmsNormRopeCase,
  ropeCases,
  siluCases,
} from "./tokens.ts";
import { adamwCase, emaCase, globalNormCase, swapCase } from "./weights.ts";

/** Every op, forward and backward, at every shape of `shapes/`, as the adapter can do it. */
export function allCases(adapter: { readonly software: boolean }): Case[] {
  const of = <S>(rows: readonly Row<S>[], ...makers: readonly ((row: Row<S>) => Case | Case[])[]) =>
    makers.flatMap((make) => rows.flatMap((row) => make(fit(row, adapter))));
  return [
    ...of(MATMULS, matmulCase),
    ...of(FUSED, matmulFusedCase),
    ...of(LINEAR_BACKWARDS, matmulBackwardCases),
    ...of(ATTENTIONS, attentionCase, attentionBackwardCase),
    ...of(DISTANCE_SCORES, distanceAttentionCase, softmaxCases, distanceSoftmaxCase),
    ...of(MASKED_SCORES, maskedAttentionCase, maskedSoftmaxCase),
    ...of(CONVOLUTIONS, convCase, convBackwardCases),
    ...of(GROUP_NORMS, groupNormCase, groupNormBackwardCase, groupNormStatsCase),
    ...of(TILE_NORMS, groupNormApplyCase),
    ...of(ATTENTION_NORMS, groupNormCase, groupNormBackwardCase),
    ...of(TOKENS, layerNormCases, rmsNormCases, ropeCases, rmsNormRopeCase, gateCases),
    ...of(GELUS, geluCases),
    ...of(SILUS, siluCases),
    ...of(UPSAMPLES, upsampleCases),
    ...of(FEATURES, reluCases, maxPoolCases, l2PoolCase, featureDistanceCases),
    ...of(PICTURES, totalVariationCases, meanStdCase, poissonCases, stepCases),
    ...of(RESIZES, resizeCases),
    ...of(INTERPOLATIONS, interpolateCase),
    ...of(BLURS, blurCases),
    ...of(FILTERS, filterCase),
    ...of(TOKENS, elementwiseCases, concatCases, permuteCases, sumCases, noiseCase),
    ...of(TOKENS.slice(0, 1), cosineCases),
    ...of(WEIGHTS, adamwCase, emaCase, swapCase, globalNormCase),
  ];
}
