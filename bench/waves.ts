import type { Rgb8 } from "@fluxsr/core";

/** A picture of waves in all directions: contrast everywhere, and nothing to load. */
export function waves(side: number): Rgb8 {
  const rgb = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    return 128 + 60 * Math.sin(x / 9 + i % 3) + 50 * Math.cos(y / 7) + 10 * Math.sin(x * y / 50);
  });
  return { width: side, height: side, rgb };
}
