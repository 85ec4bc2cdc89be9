/**
 * Y of BT.601 in "studio" range, as BasicSR and MATLAB define it: `16 + (65.481 R + 128.553 G + 24.966 B) / 255`.
 *
 * @param rgb [pixels, 3], 0..255
 * @returns [pixels], 16..235, not rounded
 */
export function luma(rgb: Uint8Array): Float64Array {
  const y = new Float64Array(rgb.length / 3);
  for (let i = 0; i < y.length; i++) {
    y[i] = 16 + (65.481 * rgb[i * 3]! + 128.553 * rgb[i * 3 + 1]! + 24.966 * rgb[i * 3 + 2]!) / 255;
  }
  return y;
}
