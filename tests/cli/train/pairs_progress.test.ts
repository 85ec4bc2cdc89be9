import { expect, test } from "vitest";
import { PairsProgress } from "../../../packages/cli/train/_pairs_progress.ts";
import { fakeHost } from "../_fakes.ts";

test("on a terminal one line says how far it is and how long it takes", () => {
  const host = fakeHost({ columns: 60 });
  const progress = new PairsProgress(host, { count: 10 });
  host.clock += 2000;
  progress.pair(5, {}); // four were there already
  host.clock += 4000;
  progress.pair(6, {});
  expect(host.stderr).toBe("\r\x1b[K5/10 pairs, 2 s each, 10 s left\r\x1b[K6/10 pairs, 3 s each, 12 s left");
  host.stderr = "";
  progress.end(6, "out");
  expect(host.stderr).toBe("\r\x1b[Kout has 6 of 10 pairs: 2 made, 3 s each\n");
});

test("time is counted from when the teacher is loaded, and a line in between has its place", () => {
  const host = fakeHost({ columns: 60 });
  const progress = new PairsProgress(host, { count: 3 });
  host.clock += 9000;
  progress.say("Within 2 GB: all 4 blocks stay");
  progress.begin();
  host.clock += 2000;
  progress.pair(1, {});
  progress.say("out of memory");
  host.clock += 2000;
  progress.begin(); // loaded again
  progress.pair(2, {});
  expect(host.stderr).toBe(
    "Within 2 GB: all 4 blocks stay\n\r\x1b[K1/3 pairs, 2 s each, 4 s left\r\x1b[Kout of memory\n" +
      "\r\x1b[K2/3 pairs, 2 s each, 2 s left",
  );
});

test("a line is cut to the terminal", () => {
  const host = fakeHost({ columns: 9 });
  const progress = new PairsProgress(host, { count: 10 });
  host.clock += 1000;
  progress.pair(1, {});
  expect(host.stderr).toBe("\r\x1b[K1/10 pai");
});

test("elsewhere a line comes twice a minute at most", () => {
  const host = fakeHost();
  const progress = new PairsProgress(host, { count: 100 });
  for (let i = 1; i <= 7; i++) {
    host.clock += 10_000;
    progress.pair(i, {});
  }
  expect(host.stderr.split("\n")).toEqual([
    "3/100 pairs, 10 s each, 16:10 min left",
    "6/100 pairs, 10 s each, 15:40 min left",
    "",
  ]);
});

test("in the end it says what pictures lose on their way to the noise and back", () => {
  const host = fakeHost();
  const progress = new PairsProgress(host, { count: 3 });
  host.clock += 6000;
  for (const [i, round_trip] of [0.002, 0.0011, 0.25].entries()) progress.pair(i + 1, { round_trip });
  progress.end(3, "out");
  expect(host.stderr).toBe(
    "out has 3 of 3 pairs: 3 made, 2 s each\n" +
      "To the noise and back, the latents lose 0.20 % (median), 25 % (worst)\n",
  );
});

test("nothing made, nothing said of it", () => {
  const host = fakeHost({ columns: 80 });
  new PairsProgress(host, { count: 3 }).end(3, "out");
  expect(host.stderr).toBe("out has 3 of 3 pairs\n");
});
