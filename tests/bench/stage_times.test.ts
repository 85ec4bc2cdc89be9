import { scale, type Tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { stageTimes } from "../../bench/stage_times.ts";
import { gpu, randomTensor } from "../helpers/gpu.ts";

test("a stage has the time of all its turns, in the order in which stages begin", async () => {
  const { tensor: large } = randomTensor([1 << 20]);
  const { tensor: small } = randomTensor([4]);
  const twice = (x: Tensor) => scale(x, 2).dispose();
  const times = await stageTimes(gpu, async (begin) => {
    begin("large");
    twice(large);
    begin("small");
    twice(small);
    await gpu.sync();
    begin("large");
    twice(large);
    begin("idle");
  });
  expect([...times.keys()]).toEqual(["large", "small", "idle"]);
  expect(times.get("small")).toBeGreaterThan(0);
  expect(times.get("large")).toBeGreaterThan(times.get("small")!);
  expect(times.get("idle")).toBe(0);
  for (const each of [large, small]) each.dispose();
});
