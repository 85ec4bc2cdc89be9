import { expect, test } from "vitest";
import { duel } from "../../bench/duel.ts";

/** Gives these milliseconds, one after the other. */
function clock(...times: number[]): () => Promise<number> {
  return () => Promise.resolve(times.shift() ?? NaN);
}

test("one lucky round does not win, one unlucky round does not lose", async () => {
  const first = () => Promise.resolve(100);
  expect(await duel({ first, second: clock(50, 99, 101, 100, 98) })).toBe(1);
  expect(await duel({ first, second: clock(80, 81, 300, 79, 82) })).toBe(0.82);
});

test("what slows the machine down for some rounds slows both", async () => {
  expect(await duel({ first: clock(100, 200, 400), second: clock(90, 180, 360), rounds: 3 })).toBe(0.9);
});
