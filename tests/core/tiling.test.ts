import { loadModel } from "@fluxsr/core";
import { DryGpu } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { layTiles, shareStatistics } from "../../packages/core/tiling.ts";
import { STARTER } from "../helpers/starter.ts";

const gpu = new DryGpu();
const model = await loadModel(gpu, STARTER, { fold: true });
const plan = layTiles(model, { height: 512, width: 768 }, { tile: 256 });
const tiles = plan.tiles.length;

/** With so many bytes of budget beside the model. */
function within(bytes: number, options: { scarce?: boolean } = {}) {
  gpu.buffers.budget = gpu.memory.live + bytes;
  const { groups, keep } = shareStatistics(plan, model, options);
  return { groups: groups.map((group) => group.length), keep };
}

test("the autoencoder sees all tiles as one picture: together while they fit, then one at a time", () => {
  const together = within(Infinity);
  expect(together).toEqual({ groups: [tiles], keep: undefined });
  const [some, fewer] = [within(65e6), within(60e6)];
  expect([some.groups, fewer.groups]).toEqual([[tiles], [tiles]]);
  expect(some.keep).toBeGreaterThan(fewer.keep!);
  expect(some.keep).toBeLessThan(65e6);
  expect(within(32e6).keep).toBe(0);
  expect(within(65e6, { scarce: true }).keep).toBeLessThan(fewer.keep!);
  expect(within(Infinity, { scarce: true })).toEqual({ groups: [tiles], keep: expect.any(Number) });
});

test("where what there is of all tiles does not fit beside the work on one, each is seen for itself", () => {
  for (const bytes of [12 * 512 * 768, 30e6]) {
    expect(within(bytes)).toEqual({ groups: Array(tiles).fill(1), keep: undefined });
  }
});

test("a single tile is seen as it is", () => {
  gpu.buffers.budget = gpu.memory.live + 1000;
  const single = layTiles(model, { height: 256, width: 256 }, { tile: 256 });
  expect(shareStatistics(single, model, { scarce: true })).toMatchObject({ groups: [{ length: 1 }], keep: undefined });
});
