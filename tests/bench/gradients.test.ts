import { expect, test } from "vitest";
import { attentionData, attentionGradientSamples } from "../../bench/cases/attention_backward.ts";
import { convData, convGradientSamples } from "../../bench/cases/conv2d_samples.ts";
import { groupNormData, groupNormGradientSamples } from "../../bench/cases/group_norm_backward.ts";
import { linearData, linearGradientSamples } from "../../bench/cases/matmul_backward.ts";
import { ofResults, type Sample } from "../../bench/case.ts";
import { requireSamples, WrongResultError } from "../../bench/check.ts";
import { blockData, blockGradientSamples } from "../../bench/peers/block.ts";
import { open } from "../../bench/peers/fluxsr.ts";
import { allCourses } from "../../bench/peers/courses.ts";
import type { Task } from "../../bench/peers/task.ts";
import { gpu } from "../helpers/gpu.ts";

const ours = open(gpu).gradients!;
const linear = linearData({ m: 9, k: 13, n: 11 });
const conv = convData({ side: 7, inputs: 3, outputs: 5 });
const attention = attentionData({ tokens: 7, heads: 3, width: 8 });
const norm = groupNormData({ side: 7, channels: 12, groups: 3 });
const block = blockData({ tokens: 5, width: 12, heads: 3 });
const both = ({ dx, dw }: Record<"dx" | "dw", Iterable<Sample>>) => ofResults([dx, dw]);

/** What is raced, small and odd: a task and its samples. */
const small: [string, () => Promise<Task>, () => Iterable<Sample>][] = [
  ["linear", () => ours.linear(linear), () => both(linearGradientSamples(linear))],
  ["conv3x3", () => ours.conv3x3(conv), () => both(convGradientSamples(conv))],
  ["attention", () => ours.attention(attention), () => attentionGradientSamples(attention)],
  ["groupNormSilu", () => ours.groupNormSilu(norm), () => groupNormGradientSamples(norm)],
  ["transformerBlock", () => ours.transformerBlock(block), () => blockGradientSamples(block)],
];

test.each(small)(
  "the gradients of %s are those of its samples, and nothing is left behind",
  async (name, enter, of) => {
    const live = gpu.memory.live;
    const task = await enter();
    const results = await task.sample();
    const samples = [...of()];
    requireSamples(name, results, samples);
    for (let result = 0; result < results.length; result++) {
      const wrong = results.with(result, results[result]!.map((value) => 1.001 * value));
      expect(() => requireSamples(name, wrong, samples), `result ${result} is looked at`).toThrow(WrongResultError);
    }
    await task.run(2);
    task.dispose();
    expect(gpu.memory.live).toBe(live);
  },
);

test("every course has a name of its own", () => {
  const names = allCourses({ software: false }).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
