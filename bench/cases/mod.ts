import { type Case, fit } from "../case.ts";
import * as shapes from "../shapes.ts";
import { attentionCase } from "./attention.ts";
import { attentionBackwardCase } from "./attention_backward.ts";
import { convCase } from "./conv2d.ts";
import { convBackwardCases } from "./conv2d_backward.ts";
import { groupNormBackwardCase } from "./group_norm_backward.ts";
import { matmulCase } from "./matmul.ts";
import { matmulBackwardCases } from "./matmul_backward.ts";
import { blurCase, groupNormCase, resizeCase, upsampleCase } from "./picture.ts";
import { gateCase, geluCase, layerNormCase, rmsNormCase, ropeCase } from "./tokens.ts";

/** Every op, and the backward passes that training spends its time on, at every shape of `shapes.ts`, as the adapter can do it. */
export function allCases(adapter: { readonly software: boolean }): Case[] {
  const tokens = shapes.TOKENS.map((row) => fit(row, adapter));
  return [
    ...shapes.MATMULS.map((row) => matmulCase(fit(row, adapter))),
    ...shapes.ATTENTIONS.map((row) => attentionCase(fit(row, adapter))),
    ...shapes.CONVOLUTIONS.map((row) => convCase(fit(row, adapter))),
    ...shapes.GROUP_NORMS.map((row) => groupNormCase(fit(row, adapter))),
    ...[layerNormCase, rmsNormCase, ropeCase, gateCase].flatMap((make) => tokens.map(make)),
    ...shapes.GELUS.map((row) => geluCase(fit(row, adapter))),
    ...shapes.RESIZES.map((row) => resizeCase(fit(row, adapter))),
    ...shapes.UPSAMPLES.map((row) => upsampleCase(fit(row, adapter))),
    ...shapes.BLURS.map((row) => blurCase(fit(row, adapter))),
    ...shapes.LINEAR_BACKWARDS.flatMap((row) => matmulBackwardCases(fit(row, adapter))),
    ...shapes.ATTENTIONS.map((row) => attentionBackwardCase(fit(row, adapter))),
    ...shapes.CONVOLUTION_BACKWARDS.flatMap((row) => convBackwardCases(fit(row, adapter))),
    ...shapes.GROUP_NORMS.map((row) => groupNormBackwardCase(fit(row, adapter))),
  ];
}
