import type { Rgb8 } from "@fluxsr/core";
import type { Random } from "../random.ts";

/** A square picture in one of the eight ways to mirror it and to turn it by quarters, each as likely. */
export function turned({ width: side, rgb }: Rgb8, random: Random): Rgb8 {
  const [transposed, flipped, mirrored] = [random.integer(2), random.integer(2), random.integer(2)];
  const out = new Uint8Array(rgb.length);
  for (let y = 0, to = 0; y < side; y++) {
    for (let x = 0; x < side; x++, to += 3) {
      const [u, v] = transposed ? [x, y] : [y, x];
      const row = flipped ? side - 1 - u : u, column = mirrored ? side - 1 - v : v;
      const from = 3 * (row * side + column);
      out.set(rgb.subarray(from, from + 3), to);
    }
  }
  return { width: side, height: side, rgb: out };
}
