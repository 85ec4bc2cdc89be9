import { expect, test } from "vitest";
import { InputError } from "../../../packages/core/errors.ts";
import { Canvas } from "../../../packages/core/image/canvas.ts";
import { planTiles, type TilePlan } from "../../../packages/core/image/tiles.ts";

const ENOUGH = { maxBytes: 2 ** 30 };
const BITS_8 = { depth: 8, grey: false } as const;
const BITS_16 = { depth: 16, grey: false } as const;
const OPTIONS = { tileWidth: 64, tileHeight: 32, overlap: 12, multiple: 16 };

/** A canvas on which every tile shows `value(x, y, channel)` of the whole picture, also in its padding. */
function painted(plan: TilePlan, value: (x: number, y: number, c: number) => number): Canvas {
  const canvas = new Canvas(plan, ENOUGH);
  for (const { x, y, column, row } of plan.tiles) {
    const { size: width } = plan.columns[column]!;
    const { size: height } = plan.rows[row]!;
    const tile = Float32Array.from({ length: width * height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return value(x + pixel % width, y + Math.floor(pixel / width), i % 3);
    });
    canvas.add(tile, column, row);
  }
  return canvas;
}

/** The same values without tiles, as integers. */
function expected(width: number, height: number, max: number, value: (x: number, y: number, c: number) => number) {
  return Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return Math.round(value(pixel % width, Math.floor(pixel / width), i % 3) * max);
  });
}

test("Canvas joins tiles that agree without a trace, at any size", () => {
  // Whole multiples of 1 / 255, away from rounding borders in both depths.
  const value = (x: number, y: number, c: number) => ((x * 7 + y * 13 + c * 50) % 256) / 255;
  for (const [width, height] of [[1, 1], [17, 3], [64, 32], [65, 33], [97, 131], [211, 61]] as const) {
    const canvas = painted(planTiles({ width, height }, OPTIONS), value);
    expect([...canvas.finish(BITS_8)]).toEqual(expected(width, height, 255, value));
    expect([...canvas.finish(BITS_16)]).toEqual(expected(width, height, 65535, value));
    const bordered = painted(
      planTiles({ width, height }, { ...OPTIONS, border: 13 }),
      (x, y, c) => value(x + 256, y + 256, c),
    );
    expect([...bordered.finish(BITS_8)]).toEqual(expected(width, height, 255, value));
  }
});

test("Canvas keeps a constant exactly: weights add up to 1 in the plane", () => {
  const canvas = painted(planTiles({ width: 200, height: 100 }, OPTIONS), () => 1);
  expect(canvas.meanStd()).toEqual({ mean: [1, 1, 1], std: [0, 0, 0] });
});

test("Canvas ignores what a tile shows in its margin", () => {
  const plan = planTiles({ width: 100, height: 1 }, { ...OPTIONS, margin: 6 });
  const canvas = new Canvas(plan, ENOUGH);
  plan.tiles.forEach(({ column, row }) => {
    const tile = new Float32Array(64 * 16 * 3).fill(0.5);
    const margin = column === 0 ? 64 - 6 : 0; // the border shared with the other tile
    for (let y = 0; y < 16; y++) tile.fill(1e6, (y * 64 + margin) * 3, (y * 64 + margin + 6) * 3);
    canvas.add(tile, column, row);
  });
  expect(new Set(canvas.finish(BITS_8))).toEqual(new Set([128]));
});

test("Canvas.finish() clamps, rounds to the nearest and corrects each channel", () => {
  const colours = [-0.2, 0.5, 1.7];
  const canvas = painted(planTiles({ width: 2, height: 1 }, OPTIONS), (_x, _y, c) => colours[c]!);
  expect([...canvas.finish(BITS_8)]).toEqual([0, 128, 255, 0, 128, 255]);
  expect([...canvas.finish(BITS_16).slice(0, 3)]).toEqual([0, 32768, 65535]);
  const corrected = canvas.finish(BITS_8, { gain: [1, 0.5, 0.5], offset: [0.4, 0, -0.45] });
  expect([...corrected.slice(0, 3)]).toEqual([51, 64, 102]);
});

test("Canvas.finish() gives a grey picture the mean of its corrected channels", () => {
  const colours = [0.2, 0.5, 1.1];
  const canvas = painted(planTiles({ width: 2, height: 1 }, OPTIONS), (_x, _y, c) => colours[c]!);
  expect([...canvas.finish({ depth: 8, grey: true })]).toEqual(Array(6).fill(153));
  const corrected = canvas.finish({ depth: 16, grey: true }, { gain: [2, 1, 0], offset: [0, 0, 0.3] });
  expect([...corrected]).toEqual(Array(6).fill(26214));
});

test("Canvas.meanStd() gives mean and standard deviation per channel", () => {
  const canvas = painted(planTiles({ width: 100, height: 2 }, OPTIONS), (x, _y, c) => [x % 2, 0.25, x / 99][c]!);
  const { mean, std } = canvas.meanStd();
  [[mean[0], 0.5], [std[0], 0.5], [mean[1], 0.25], [std[1], 0], [mean[2], 0.5], [std[2], 0.291576]].forEach(
    ([actual, wanted]) => expect(actual).toBeCloseTo(wanted!, 5),
  );
});

test("Canvas refuses a picture above the memory budget, with both numbers", () => {
  const plan = planTiles({ width: 1000, height: 500 }, OPTIONS);
  expect(() => new Canvas(plan, { maxBytes: 6_000_000 })).not.toThrow();
  const refused = () => new Canvas(plan, { maxBytes: 5_999_999 });
  expect(refused).toThrow(InputError);
  expect(refused).toThrow("1000 x 500 pixels: it needs 6000000 bytes of memory, allowed are 5999999");
});

test("Canvas refuses a picture that the system has no memory for", () => {
  const plan = { width: 2 ** 26, height: 2 ** 26, columns: [], rows: [], tiles: [] };
  expect(() => new Canvas(plan, { maxBytes: Infinity })).toThrow("the system does not give them");
});

test("Canvas.add() refuses NaN and infinity, naming the tile", () => {
  const plan = planTiles({ width: 100, height: 32 }, OPTIONS);
  for (const value of [NaN, Infinity]) {
    const tile = new Float32Array(64 * 32 * 3);
    tile[tile.length - 1] = value;
    const message = `Cannot use the tile in column 1, row 0: the network returned ${value}`;
    expect(() => new Canvas(plan, ENOUGH).add(tile, 1, 0)).toThrow(message);
  }
});

test("Canvas.add() refuses a tile of another size, or outside the plan", () => {
  const canvas = new Canvas(planTiles({ width: 10, height: 10 }, OPTIONS), ENOUGH);
  expect(() => canvas.add(new Float32Array(10 * 10 * 3), 0, 0)).toThrow("it must be [16, 16, 3]: it has 300 values");
  expect(() => canvas.add(new Float32Array(16 * 16 * 3), 1, 0)).toThrow(RangeError);
});
