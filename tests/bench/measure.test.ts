import { add } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { warmUp } from "../../bench/measure.ts";
import { gpu, randomTensor } from "../helpers/gpu.ts";
import { hardwareGpu } from "../helpers/ways.ts";

test.each([
  { name: "keeps hardware busy", on: hardwareGpu(), isBusy: true },
  { name: "leaves a CPU alone, which has no clock to raise", on: gpu, isBusy: false },
])("warmUp() $name", async ({ on, isBusy }) => {
  const x = randomTensor([3], 1, on).tensor;
  let runs = 0;
  await warmUp(on, () => {
    runs++;
    return add(x, x);
  });
  expect(runs > 1).toBe(isBusy);
  expect(runs === 0).toBe(!isBusy);
});
