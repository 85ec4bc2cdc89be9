import type { Picture } from "@fluxsr/core";

/** Two pictures of the same height and depth, left and right of each other. */
export function sideBySide(left: Picture, right: Picture): Picture {
  if (left.height !== right.height || left.depth !== right.depth) {
    const sizes = [left, right].map(({ height, depth }) => `${height} rows of ${depth} bits`).join(" and ");
    throw new RangeError(`Cannot put pictures side by side: height and depth must be the same: they are ${sizes}`);
  }
  const width = left.width + right.width;
  const { height, depth } = left;
  const rgb = joinRows(left.rgb, right.rgb, height);
  const alpha = left.alpha && right.alpha && joinRows(left.alpha, right.alpha, height);
  return { width, height, depth, rgb, ...(alpha && { alpha }), grey: left.grey && right.grey, notes: [] };
}

function joinRows<T extends Uint8Array | Uint16Array>(left: T, right: T, height: number): Uint8Array | Uint16Array {
  const total = left.length + right.length;
  const result = left instanceof Uint16Array ? new Uint16Array(total) : new Uint8Array(total);
  const [across, right_across] = [left.length / height, right.length / height];
  for (let row = 0; row < height; row++) {
    const at = row * (across + right_across);
    result.set(left.subarray(row * across, (row + 1) * across), at);
    result.set(right.subarray(row * right_across, (row + 1) * right_across), at + across);
  }
  return result;
}
