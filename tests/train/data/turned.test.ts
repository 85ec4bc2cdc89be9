import { expect, test } from "vitest";
import { turned } from "../../../packages/train/data/turned.ts";
import { randomOf } from "../../../packages/train/random.ts";

/** A square whose pixels are all different. */
const square = (side: number) => ({
  width: side,
  height: side,
  rgb: Uint8Array.from({ length: side * side * 3 }, (_, i) => i),
});

test.each([[1, 1], [2, 8], [5, 8]])(
  "turned() has a square of side %i in all %i ways, and neighbours stay neighbours",
  (side, ways) => {
    const picture = square(side);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const { width, height, rgb } = turned(picture, randomOf(1, "turn", i));
      expect([width, height]).toEqual([side, side]);
      const pixel = (y: number, x: number) => Array.from(rgb.subarray(3 * (y * side + x), 3 * (y * side + x) + 3));
      const whole = (y: number, x: number) => pixel(y, x)[0]! / 3;
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const [first, second, third] = pixel(y, x);
          expect([second, third]).toEqual([first! + 1, first! + 2]);
          if (x + 1 < side) expect([1, side]).toContain(Math.abs(whole(y, x) - whole(y, x + 1)));
          if (y + 1 < side) expect([1, side]).toContain(Math.abs(whole(y, x) - whole(y + 1, x)));
        }
      }
      seen.add(rgb.join());
    }
    expect(seen.size).toBe(ways);
    expect(picture.rgb).toEqual(square(side).rgb);
  },
);
