import { expect, test } from "vitest";
import { gridEnergy, gridRatio } from "../../../packages/core/metrics/grid.ts";
import type { Rgb8 } from "../../../packages/core/image/rgb8.ts";
import { randomOf } from "../../../packages/train/random.ts";
import { goldenPicture, painted, part } from "./_picture.ts";

const WHOLE = { cropBorder: 0 };
const SIZES = [{ width: 96, height: 96 }, { width: 101, height: 131 }, { width: 190, height: 97 }];

/** What a photograph's own 16-pixel component may add or take by chance, on the smallest crops. */
const CHANCE = 1.6;

function changed(picture: Rgb8, by: (column: number, row: number) => number): Rgb8 {
  const { width, height, rgb } = picture;
  return painted(width, height, (x, y, channel) => rgb[(y * width + x) * 3 + channel]! + by(x, y));
}

for (const name of ["niqe0.png", "niqe1.png"]) {
  for (const size of SIZES) {
    test(`gridRatio() sees a grid and nothing else: ${name}, ${size.width} x ${size.height}`, async () => {
      const whole = await goldenPicture(name);
      const picture = part(whole, { x: 31, y: 57, ...size });
      const shifted = part(whole, { x: 36, y: 60, ...size });
      const random = randomOf(1, "grid");
      const noisy = changed(picture, () => 5 * random.normal());
      const ratio = (image: Rgb8) => gridRatio(picture, image, WHOLE);

      expect(ratio(picture)).toBe(1);
      for (const harmless of [shifted, noisy]) {
        expect(ratio(harmless)).toBeLessThan(CHANCE);
        expect(ratio(harmless)).toBeGreaterThan(1 / CHANCE);
      }
      // Lines at any phase, on both axes or one.
      expect(ratio(changed(picture, (x, y) => (x + 5) % 16 === 0 || y % 16 === 3 ? 8 : 0))).toBeGreaterThan(3);
      expect(ratio(changed(picture, (x) => x % 16 === 7 ? 8 : 0))).toBeGreaterThan(2);
      expect(ratio(changed(picture, (_, y) => y % 16 === 7 ? 8 : 0))).toBeGreaterThan(2);
    });
  }
}

test("gridRatio() grows with the grid", async () => {
  const picture = part(await goldenPicture("niqe1.png"), { x: 0, y: 0, width: 128, height: 128 });
  const ratios = [1, 2, 4, 8].map((step) =>
    gridRatio(picture, changed(picture, (x, y) => x % 16 === 0 || y % 16 === 0 ? step : 0), WHOLE)
  );
  expect(ratios).toEqual([...ratios].sort((a, b) => a - b));
});

test("gridEnergy() of sinusoids is large at the grid's frequencies only", () => {
  const wave = (period: number) => {
    const values = Float64Array.from(
      { length: 96 * 112 },
      (_, i) => 128 + 10 * Math.sin(2 * Math.PI * (i % 96) / period + 1),
    );
    return gridEnergy({ width: 96, height: 112, values });
  };
  for (let k = 1; k <= 8; k++) expect(wave(16 / k), `16 / ${k}`).toBeGreaterThan(100);
  for (const period of [96, 24, 32 / 3, 48 / 7]) expect(wave(period), `${period}`).toBeLessThan(1.1);
});

test("gridRatio() of flat pictures is 1, and too small ones are refused", () => {
  const flat = painted(96, 96, () => 77);
  expect(gridRatio(flat, flat, WHOLE)).toBe(1);
  expect(() => gridRatio(flat, flat, { cropBorder: 1 })).toThrow("sides must be at least 96: 94 x 94");
});
