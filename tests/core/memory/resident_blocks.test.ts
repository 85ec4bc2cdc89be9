import { OutOfMemoryError } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { withMostBlocks } from "../../../packages/core/memory/resident_blocks.ts";

const SIZES = [7, 7, 3, 3, 3];

/** Bytes in use with `work` beside the blocks, and `other` without a block that is loaded in its turn. */
function used(resident: number, { work, other = 0 }: { work: number; other?: number }): number {
  const stay = SIZES.slice(0, resident).reduce((sum, size) => sum + size, 0);
  return stay + Math.max(other, work + Math.max(0, ...SIZES.slice(resident)));
}

test.each([{ work: 10 }, { work: 10, other: 15 }, { work: 10, other: 30 }])(
  "withMostBlocks() finds the most that fit, with %o",
  async (needs) => {
    for (let budget = used(0, needs); budget < used(5, needs) + 2; budget++) {
      const tried: number[] = [];
      const found = await withMostBlocks((resident) => {
        tried.push(resident);
        const fits = used(resident, needs) <= budget;
        return fits ? Promise.resolve(resident) : Promise.reject(new OutOfMemoryError("no room"));
      }, { sizes: SIZES, room: budget - used(0, needs) });
      const fitting = [0, 1, 2, 3, 4, 5].filter((resident) => used(resident, needs) <= budget);
      expect(found).toBe(fitting.at(-1));
      expect(tried.length).toBeLessThanOrEqual(4);
    }
  },
);

test("withMostBlocks() passes other errors on, and has nothing where nothing fits", async () => {
  const failing = () => Promise.reject(new Error("broken"));
  await expect(withMostBlocks(failing, { sizes: SIZES, room: 0 })).rejects.toThrow("broken");
  const refusing = () => Promise.reject(new OutOfMemoryError("no room"));
  expect(await withMostBlocks(refusing, { sizes: SIZES, room: 100 })).toBeUndefined();
});
