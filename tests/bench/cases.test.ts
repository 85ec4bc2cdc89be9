import { expect, test } from "vitest";
import type { Case } from "../../bench/case.ts";
import { attentionCase } from "../../bench/cases/attention.ts";
import { attentionBackwardCase } from "../../bench/cases/attention_backward.ts";
import { convBackwardCases, convCase } from "../../bench/cases/conv2d.ts";
import * as copies from "../../bench/cases/copies.ts";
import { elementwiseCases } from "../../bench/cases/elements.ts";
import * as features from "../../bench/cases/features.ts";
import { groupNormBackwardCase } from "../../bench/cases/group_norm_backward.ts";
import { matmulCase } from "../../bench/cases/matmul.ts";
import { matmulBackwardCases } from "../../bench/cases/matmul_backward.ts";
import { matmulFusedCase } from "../../bench/cases/matmul_fused.ts";
import { allCases } from "../../bench/cases/mod.ts";
import { noiseCase, poissonCases } from "../../bench/cases/noise.ts";
import * as picture from "../../bench/cases/picture.ts";
import * as resampling from "../../bench/cases/resampling.ts";
import * as softmax from "../../bench/cases/softmax.ts";
import { stepCases } from "../../bench/cases/steps.ts";
import * as sums from "../../bench/cases/sums.ts";
import * as text from "../../bench/cases/text_attention.ts";
import * as tokensCases from "../../bench/cases/tokens.ts";
import * as weights from "../../bench/cases/weights.ts";
import { checkWork } from "../../bench/check.ts";
import { gpuTimes } from "../../bench/measure.ts";
import { gpu } from "../helpers/gpu.ts";

const from = { name: "small", origin: "this test" };
const tokens = { ...from, tokens: 5, width: 24, heads: 3 };
const scores = { ...from, tokens: 5, heads: 3, width: 8 };
const pixels = { ...from, side: 7, channels: 5 };

/** Every kind of case at a small, odd shape. */
const small: Case[] = [
  matmulCase({ ...from, m: 9, k: 13, n: 11 }),
  matmulCase({ ...from, m: 9, k: 12, n: 13, transposeB: true }),
  matmulCase({ ...from, m: 9, k: 12, n: 13, transposeB: true, dtype: "bf16" }),
  matmulCase({ ...from, m: 9, k: 12, n: 13, transposeB: true, dtype: "f16" }),
  ...(["q8_0", "q4_0", "q4_k", "q5_k", "f8_e4m3"] as const).flatMap((dtype) => {
    const row = { ...from, m: 9, k: 256, n: 13, dtype };
    return [matmulCase({ ...row, transposeB: true }), ...matmulBackwardCases(row)];
  }),
  ...(["bias_gelu", "gated", "lora"] as const).map((epilogue) =>
    matmulFusedCase({ ...from, m: 9, k: 12, n: 16, epilogue })
  ),
  matmulFusedCase({ ...from, m: 9, k: 12, n: 13, dtype: "bf16", epilogue: "bias_gelu" }),
  attentionCase({ ...from, tokens: 7, heads: 3, width: 8 }),
  ...[{}, { size: 1 as const }, { relu: true }].flatMap((options) => {
    const row = { ...from, side: 7, inputs: 3, outputs: 5, ...options } as const;
    return [convCase(row), ...convBackwardCases(row)];
  }),
  ...[10, 7].flatMap((side) => {
    const row = { ...from, side, inputs: 4, outputs: 5, stride: 2 } as const;
    return [convCase(row), ...convBackwardCases(row)];
  }),
  picture.groupNormCase({ ...from, side: 7, channels: 12, groups: 3 }),
  picture.groupNormCase({ ...from, side: 7, channels: 12, groups: 3, plain: true }),
  picture.groupNormApplyCase({ ...from, side: 7, channels: 12, groups: 3 }),
  sums.groupNormStatsCase({ ...from, side: 7, channels: 12, groups: 3 }),
  ...tokensCases.layerNormCases(tokens),
  ...tokensCases.rmsNormCases(tokens),
  ...tokensCases.ropeCases(tokens),
  tokensCases.rmsNormRopeCase(tokens),
  ...tokensCases.gateCases(tokens),
  ...tokensCases.geluCases({ ...from, tokens: 5, hidden: 7 }),
  ...tokensCases.siluCases({ ...from, tokens: 5, hidden: 7 }),
  ...tokensCases.cosineCases(tokens),
  ...softmax.softmaxCases(scores),
  softmax.distanceSoftmaxCase(scores),
  softmax.maskedSoftmaxCase(scores),
  text.distanceAttentionCase(scores),
  text.maskedAttentionCase(scores),
  ...resampling.resizeCases({ ...from, side: 7, result: 28 }),
  ...resampling.resizeCases({ ...from, side: 28, result: 7 }),
  ...(["area", "bilinear", "bicubic"] as const).flatMap((mode) => [
    resampling.interpolateCase({ ...from, mode, side: 13, result: 5 }),
    resampling.interpolateCase({ ...from, mode, side: 5, result: 13 }),
  ]),
  ...picture.upsampleCases(pixels),
  ...resampling.blurCases({ ...from, side: 9, channels: 3, dilation: 2 }),
  resampling.filterCase({ ...from, side: 9, size: 5 }),
  ...picture.totalVariationCases(pixels),
  sums.meanStdCase(pixels),
  ...poissonCases(pixels),
  ...stepCases(pixels),
  ...features.reluCases(pixels),
  ...features.maxPoolCases(pixels),
  features.l2PoolCase(pixels),
  ...features.featureDistanceCases(pixels),
  ...elementwiseCases(tokens),
  ...copies.concatCases(tokens),
  ...copies.permuteCases(tokens),
  ...sums.sumCases(tokens),
  noiseCase(tokens),
  weights.adamwCase({ ...from, count: 37 }),
  weights.emaCase({ ...from, count: 37 }),
  weights.swapCase({ ...from, count: 37 }),
  weights.globalNormCase({ ...from, count: 37 }),
  ...matmulBackwardCases({ ...from, m: 9, k: 13, n: 11 }),
  ...matmulBackwardCases({ ...from, m: 9, k: 12, n: 13, dtype: "bf16" }),
  attentionBackwardCase({ ...from, tokens: 7, heads: 3, width: 6 }),
  groupNormBackwardCase({ ...from, side: 7, channels: 12, groups: 3 }),
  groupNormBackwardCase({ ...from, side: 7, channels: 12, groups: 3, plain: true }),
];

test.each(small)("$name $shape is what its reference says", async ({ name, open }) => {
  await expect(checkWork(gpu, name, open(gpu))).resolves.toBeUndefined();
});

test("an op that takes several dispatches has one time for each run", async () => {
  const work = picture.groupNormCase({ ...from, side: 7, channels: 12, groups: 3 }).open(gpu);
  const times = await gpuTimes(gpu, work.run);
  expect(times.length).toBeGreaterThanOrEqual(5);
  expect(times.every((time) => time > 0)).toBe(true);
});

test("a backward pass is timed without its forward pass", async () => {
  const { run, tape } = attentionBackwardCase({ ...from, tokens: 7, heads: 3, width: 8 }).open(gpu);
  const { times } = await gpu.profile(() => [run()].flat().forEach((each) => each.dispose()));
  tape?.close();
  expect(times.map(({ kernel }) => kernel.split("_")[0])).toEqual(Array(4).fill("attention.backward"));
});

test.each([true, false])("every case has a name of its own and an origin (software adapter: %s)", (software) => {
  const cases = allCases({ software });
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  expect(cases.filter(({ origin }) => origin === "")).toEqual([]);
});
