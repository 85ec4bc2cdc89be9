import { expect, test } from "vitest";
import { learningRate } from "../../../packages/train/optim/schedule.ts";

const RUN = { lr: 0.4, warmup: 4, steps: 14 };
const rates = (schedule: "constant" | "cosine") =>
  Array.from({ length: 16 }, (_, step) => learningRate(step, { ...RUN, schedule }));

test("learningRate() rises in a line from the first step on, then stays", () => {
  const wanted = [0.1, 0.2, 0.3, 0.4, 0.4];
  rates("constant").forEach((rate, step) => expect(rate).toBeCloseTo(wanted[step] ?? 0.4, 12));
});

test("learningRate() falls along half a cosine to 0 at the end of the run, and stays there", () => {
  const all = rates("cosine");
  expect(all.slice(0, 5)).toEqual(rates("constant").slice(0, 5));
  expect(all[9]).toBeCloseTo(0.2, 12);
  expect(all[13]).toBeGreaterThan(0);
  expect(all.slice(14)).toEqual([0, 0]);
  for (let step = 5; step < 14; step++) expect(all[step]).toBeLessThan(all[step - 1]!);
});

test("learningRate() is where time is, if that is further than the steps", () => {
  const at = (step: number, elapsed: number) => learningRate(step, { ...RUN, schedule: "cosine", elapsed });
  expect(at(4, 0.5)).toBeCloseTo(0.2, 12);
  expect(at(9, 0.1)).toBeCloseTo(0.2, 12);
  expect(at(2, 0.9)).toBeCloseTo(0.3, 12); // the warm-up goes by steps
  expect([at(5, 1), at(5, 3)]).toEqual([0, 0]);
});

test("learningRate() starts at the full rate without warm-up, also in a run of one step", () => {
  expect(learningRate(0, { lr: 2, schedule: "cosine", warmup: 0, steps: 1 })).toBe(2);
  expect(learningRate(0, { lr: 2, schedule: "cosine", warmup: 0, steps: 10 })).toBe(2);
});
