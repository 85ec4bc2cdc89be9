import { expect, test } from "vitest";
import { planTiles, type TilePlan } from "../../../packages/core/image/tiles.ts";

const OPTIONS = { tileWidth: 64, tileHeight: 64, overlap: 16, multiple: 16 };

/** The columns of a plan for a picture of this width. */
function columns(
  width: number,
  options: Partial<typeof OPTIONS & { margin: number; border: number }> = {},
): TilePlan["columns"] {
  return planTiles({ width, height: 1 }, { ...OPTIONS, ...options }).columns;
}

/** Sum of all weights at each pixel of the axis. */
function coverage(width: number, spans: TilePlan["columns"]): number[] {
  return Array.from({ length: width }, (_, x) => spans.reduce((sum, s) => sum + (s.weights[x - s.start] ?? 0), 0));
}

test("planTiles() uses one tile, rounded up, for a picture that fits", () => {
  for (const [width, size] of [[1, 16], [15, 16], [16, 16], [17, 32], [61, 64], [64, 64]] as const) {
    expect(columns(width), `${width}`).toEqual([{ start: 0, size, weights: new Float32Array(size).fill(1) }]);
  }
});

test("planTiles() covers every size exactly, with full tiles that start on the grid", () => {
  const overlaps = [0, 1, 7, 16, 30, 31];
  for (const width of [65, 66, 67, 97, 111, 112, 113, 127, 128, 160, 161, 211, 499, 1009]) {
    for (const overlap of overlaps) {
      const spans = columns(width, { overlap });
      const name = `${width}, overlap ${overlap}`;
      expect(spans.every(({ size, weights }) => size === 64 && weights.length === 64), name).toBe(true);
      expect([spans[0]!.start, spans.at(-1)!.start], name).toEqual([0, Math.ceil((width - 64) / 16) * 16]);
      expect(spans.every(({ start }) => start % 16 === 0), name).toBe(true);
      expect(new Set(coverage(width, spans)), name).toEqual(new Set([1]));
      expect(spans.every(({ weights }) => weights.every((w) => w >= 0 && w <= 1)), name).toBe(true);
    }
  }
});

test("planTiles() spreads tiles evenly and uses no more than needed", () => {
  for (const width of [65, 97, 113, 161, 211, 1009]) {
    const starts = columns(width).map(({ start }) => start);
    const steps = starts.slice(1).map((start, i) => start - starts[i]!);
    expect(Math.max(...steps) - Math.min(...steps), `${width}`).toBeLessThanOrEqual(16);
    expect(Math.max(...steps), `${width}`).toBeLessThanOrEqual(64 - 16);
    expect((starts.length - 2) * (64 - 16) + 64, `${width}`).toBeLessThan(width);
  }
});

test("planTiles() gives the margin of a shared border weight 0 and picture borders weight 1", () => {
  for (const margin of [0, 4, 8]) {
    const spans = columns(500, { margin });
    spans.forEach(({ weights }, i) => {
      const left = [...weights.slice(0, margin)];
      const right = [...weights.slice(64 - margin)];
      expect(left).toEqual(left.map(() => i === 0 ? 1 : 0));
      expect(right).toEqual(right.map(() => i === spans.length - 1 ? 1 : 0));
    });
  }
});

test("planTiles() fades smoothly: no step above the steepest of the cosine", () => {
  const [first] = columns(112); // two tiles, overlap 16, margin 4, ramp 8
  const steps = [...first!.weights].slice(1).map((w, i) => first!.weights[i]! - w);
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...steps)).toBeLessThan(Math.PI / 2 / 8 + 2 ** -12);
});

test("planTiles() chooses the margin min(16, overlap / 4)", () => {
  const options = { tileWidth: 512, tileHeight: 512, multiple: 16 };
  for (const [overlap, margin] of [[3, 0], [16, 4], [64, 16], [200, 16]] as const) {
    const plan = planTiles({ width: 2000, height: 1 }, { ...options, overlap });
    expect(plan).toEqual(planTiles({ width: 2000, height: 1 }, { ...options, overlap, margin }));
  }
});

test("planTiles() lists tiles row by row, with other sides across than down", () => {
  const plan = planTiles({ width: 112, height: 40 }, { tileWidth: 64, tileHeight: 32, overlap: 8, multiple: 8 });
  expect(plan.tiles).toEqual([
    { x: 0, y: 0, column: 0, row: 0 },
    { x: 48, y: 0, column: 1, row: 0 },
    { x: 0, y: 8, column: 0, row: 1 },
    { x: 48, y: 8, column: 1, row: 1 },
  ]);
});

test("planTiles() refuses an overlap of half a tile, on either axis", () => {
  const refused = (options: object) => () => planTiles({ width: 500, height: 500 }, { ...OPTIONS, ...options });
  expect(refused({ overlap: 31 })).not.toThrow();
  expect(refused({ overlap: 32 })).toThrow(RangeError);
  expect(refused({ tileHeight: 32 })).toThrow("overlap must be >= 0 and below half the tile side 32: it is 16");
});

test("planTiles() refuses lengths out of their range", () => {
  const wrong = [{ overlap: -1 }, { overlap: 2.5 }, { tileWidth: 60 }, { tileWidth: 0 }, { multiple: 0 }, {
    margin: 9,
  }];
  for (const options of wrong) {
    const plan = () => planTiles({ width: 500, height: 500 }, { ...OPTIONS, ...options });
    expect(plan, JSON.stringify(options)).toThrow(RangeError);
  }
  expect(() => planTiles({ width: 0, height: 5 }, OPTIONS)).toThrow("width must be an integer >= 1: it is 0");
});

test("planTiles() begins before the picture by its border and covers it behind too", () => {
  expect(columns(33, { border: 12 })).toEqual([{ start: -12, size: 64, weights: new Float32Array(64).fill(1) }]);
  const spans = columns(200, { border: 12 });
  expect(spans[0]!.start).toBe(-12);
  expect(spans.at(-1)!.start + 64).toBeGreaterThanOrEqual(212);
  expect(new Set(coverage(200, spans))).toEqual(new Set([1]));
});
