import { loadLpips } from "@fluxsr/core";
import { gradients, read, Tape, tensor } from "@fluxsr/kernels";
import { afterAll, expect, test } from "vitest";
import { tvLpipsLoss } from "../../../packages/train/losses/tv_lpips.ts";
import { WIDTHS } from "../../core/perceptual/_narrow.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

const SHAPE = [2, 20, 24, 3];

const lpips = await loadLpips(gpu, { widths: WIDTHS });
afterAll(() => lpips.dispose());

test("TV-LPIPS holds nothing but its pictures on a tape that computes again, and has the same gradient, bit by bit", async () => {
  const [x_0hat, x_0] = [1, 2].map((seed) => randomTensor(SHAPE, seed).tensor);
  using seed = tensor(gpu, Float32Array.of(1), [1]);
  const runs = [false, true].map((recompute) => {
    const before = gpu.memory.live;
    using tape = new Tape(gpu, { recompute });
    tape.watch(x_0hat!);
    const loss = tvLpipsLoss(x_0hat!, x_0!, { lpips, gamma: 0.5 });
    const held = gpu.memory.live - before - loss.buffer.size;
    const [dx] = gradients(tape, loss, { seed, wanted: [x_0hat!] });
    return { loss, dx: dx!, held };
  });
  const [kept, again] = await Promise.all(runs.map(({ loss, dx }) => read(loss, dx)));
  expect(again).toEqual(kept);
  expect([runs[0]!.held > 0, runs[1]!.held]).toEqual([true, 0]);
  for (const each of [x_0hat!, x_0!, ...runs.flatMap(({ loss, dx }) => [loss, dx])]) each.dispose();
});
