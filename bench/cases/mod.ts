import { type Case, fit, type Row } from "../case.ts";
import { ATTENTIONS } from "../shapes/attention.ts";
import { CONVOLUTIONS } from "../shapes/conv2d.ts";
import { LINEAR_BACKWARDS, MATMULS } from "../shapes/matmul.ts";
import { BLURS, FEATURES, FILTERS, GROUP_NORMS, PICTURES, RESIZES, UPSAMPLES } from "../shapes/pictures.ts";
import { GELUS, SCORES, TOKENS } from "../shapes/tokens.ts";
import { WEIGHTS } from "../shapes/weights.ts";
import { attentionCase } from "./attention.ts";
import { attentionBackwardCase } from "./attention_backward.ts";
import { convBackwardCases, convCase } from "./conv2d.ts";
import { copyCases, elementwiseCases, groupNormStatsCase, noiseCase, sumCases } from "./elements.ts";
import { featureDistanceCases, l2PoolCase, maxPoolCases, reluCases } from "./features.ts";
import { groupNormBackwardCase } from "./group_norm_backward.ts";
import { matmulCase } from "./matmul.ts";
import { matmulBackwardCases } from "./matmul_backward.ts";
import { blurCase, filterCase, groupNormCase, resizeCase, totalVariationCases, upsampleCases } from "./picture.ts";
import { softmaxCases } from "./softmax.ts";
import {
  cosineCases,
  gateCases,
  geluCases,
  layerNormCases,
  rmsNormCases,
  rmsNormRopeCase,
  ropeCases,
} from "./tokens.ts";
import { adamwCase, emaCase, globalNormCase } from "./weights.ts";

/** Every op, forward and backward, at every shape of `shapes/`, as the adapter can do it. */
export function allCases(adapter: { readonly software: boolean }): Case[] {
  const of = <S>(rows: readonly Row<S>[], ...makers: readonly ((row: Row<S>) => Case | Case[])[]) =>
    makers.flatMap((make) => rows.flatMap((row) => make(fit(row, adapter))));
  return [
    ...of(MATMULS, matmulCase),
    ...of(LINEAR_BACKWARDS, matmulBackwardCases),
    ...of(ATTENTIONS, attentionCase, attentionBackwardCase),
    ...of(CONVOLUTIONS, convCase, convBackwardCases),
    ...of(GROUP_NORMS, groupNormCase, groupNormBackwardCase, groupNormStatsCase),
    ...of(TOKENS, layerNormCases, rmsNormCases, ropeCases, rmsNormRopeCase, gateCases),
    ...of(GELUS, geluCases),
    ...of(SCORES, softmaxCases),
    ...of(UPSAMPLES, upsampleCases),
    ...of(FEATURES, reluCases, maxPoolCases, l2PoolCase, featureDistanceCases),
    ...of(PICTURES, totalVariationCases),
    ...of(RESIZES, resizeCase),
    ...of(BLURS, blurCase),
    ...of(FILTERS, filterCase),
    ...of(TOKENS, elementwiseCases, copyCases, sumCases, noiseCase),
    ...of(TOKENS.slice(0, 1), cosineCases),
    ...of(WEIGHTS, adamwCase, emaCase, globalNormCase),
  ];
}
