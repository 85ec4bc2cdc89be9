import { defaultOverlap } from "@fluxsr/core";
import { expect, test } from "vitest";
import { planTiles } from "../../packages/core/image/tiles.ts";
import { evenTile } from "../../packages/core/tile_size.ts";

test("defaultOverlap() is 64 pixels as far as a quarter of the tile allows, and an eighth of large tiles", () => {
  expect([32, 128, 256, 512, 1024, 2048].map(defaultOverlap)).toEqual([8, 32, 64, 64, 128, 256]);
});

test("evenTile() needs as many tiles as the largest side does, with less to compute", () => {
  for (const length of [17, 513, 640, 800, 1000, 2048, 3001]) {
    for (const largest of [32, 128, 256, 512]) {
      const [overlap, multiple] = [defaultOverlap(largest), 16];
      const side = evenTile(length, { largest, overlap, multiple });
      const count = (tile: number) =>
        planTiles({ width: length, height: 1 }, { tileWidth: tile, tileHeight: largest, overlap, multiple }).columns
          .length;
      expect(side % multiple, `${length}, ${largest}`).toBe(0);
      expect(side, `${length}, ${largest}`).toBeLessThanOrEqual(largest);
      expect(count(side), `${length}, ${largest}`).toBe(count(largest));
    }
  }
  expect(evenTile(640, { largest: 512, overlap: 64, multiple: 16 })).toBe(352);
});
