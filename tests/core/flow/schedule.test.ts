import { describe, expect, test } from "vitest";
import { FLUX_SHIFT, timeSchedule, timeShift } from "../../../packages/core/flow/schedule.ts";

describe("timeShift()", () => {
  test("goes through both ends and on beyond them", () => {
    expect(timeShift(256)).toBeCloseTo(0.5, 12);
    expect(timeShift(4096)).toBeCloseTo(1.15, 12);
    expect(timeShift(24)).toBeCloseTo(0.4607291666666667, 12);
    expect(timeShift(7936, FLUX_SHIFT)).toBeCloseTo(1.8, 12);
  });

  test("takes its ends from the options", () => {
    expect(timeShift(2176, { base_shift: 0, max_shift: 1 })).toBeCloseTo(0.5, 12);
  });
});

describe("timeSchedule()", () => {
  test("is even without a shift", () => {
    expect(timeSchedule(1)).toEqual([1, 0]);
    expect(timeSchedule(4)).toEqual([1, 0.75, 0.5, 0.25, 0]);
  });

  test.each([1, 2, 3, 50])("of %i steps falls from 1 to 0, whatever the shift", (steps) => {
    for (const mu of [0, 0.5, 3]) {
      const times = timeSchedule(steps, mu);
      expect(times).toHaveLength(steps + 1);
      expect([times[0], times.at(-1)]).toEqual([1, 0]);
      times.slice(1).forEach((t, i) => expect(t).toBeLessThan(times[i]!));
    }
  });

  test("moves times to the noise by e^mu in the odds", () => {
    const [even, shifted] = [timeSchedule(5), timeSchedule(5, 0.7)];
    for (const i of [1, 2, 3, 4]) {
      const odds = (t: number) => t / (1 - t);
      expect(odds(shifted[i]!) / odds(even[i]!)).toBeCloseTo(Math.exp(0.7), 10);
    }
    timeSchedule(5, 0).forEach((t, i) => expect(t).toBeCloseTo(even[i]!, 14));
  });
});
