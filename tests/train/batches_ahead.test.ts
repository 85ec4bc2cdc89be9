import { describe, expect, test } from "vitest";
import { BatchesAhead } from "../../packages/train/batches_ahead.ts";
import type { BatchIndex } from "../../packages/train/stage.ts";

/** Batches that are made when `release` is called; tells which were begun, and which were freed. */
function source({ parts = 1, steps = 100, isAhead = true, bad = -1 } = {}) {
  const begun: number[] = [];
  const freed: number[] = [];
  const waiting: (() => void)[] = [];
  const batch = async ({ step, part }: BatchIndex) => {
    const number = step * parts + part;
    begun.push(number);
    await new Promise<void>((resolve) => waiting.push(resolve));
    if (number === bad) throw new Error(`no batch ${number}`);
    return { samples: [`${number}`], [Symbol.dispose]: () => freed.push(number) };
  };
  const release = () => waiting.splice(0).forEach((resolve) => resolve());
  return { batches: new BatchesAhead({ batch }, { parts, steps, isAhead }), begun, freed, release };
}

describe("BatchesAhead", () => {
  test("begins the next five batches, and each once", async () => {
    const { batches, begun, release } = source({ parts: 2 });
    const first = batches.take({ step: 0, part: 0 });
    expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
    release();
    expect((await first).samples).toEqual(["0"]);
    expect((await batches.take({ step: 0, part: 1 })).samples).toEqual(["1"]);
    expect(begun.slice(6)).toEqual([6]);
  });

  test("begins at the step that a run goes on from, and ends with the last one", async () => {
    const { batches, begun, release } = source({ steps: 9 });
    const first = batches.take({ step: 7, part: 0 });
    release();
    expect((await first).samples).toEqual(["7"]);
    expect(begun).toEqual([7, 8]);
  });

  test("makes none ahead if it shall not", async () => {
    const { batches, begun, release } = source({ isAhead: false });
    const first = batches.take({ step: 0, part: 0 });
    release();
    await first;
    expect(begun).toEqual([0]);
  });

  test("tells of a batch that cannot be made when it is wanted, not before", async () => {
    const { batches, release } = source({ bad: 1 });
    const first = batches.take({ step: 0, part: 0 });
    release();
    await first;
    await expect(batches.take({ step: 1, part: 0 })).rejects.toThrow("no batch 1");
  });

  test("waits for those that are not wanted any more, and frees them", async () => {
    const { batches, freed, release } = source({ steps: 4, bad: 2 });
    const first = batches.take({ step: 0, part: 0 });
    release();
    await first;
    await batches[Symbol.asyncDispose]();
    expect(freed).toEqual([1, 3]);
  });
});
