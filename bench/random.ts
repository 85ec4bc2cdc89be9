/** Reproducible values in [-1, 1): by the linear congruence of Numerical Recipes, whose upper 24 bits are taken. */
export function random(length: number, seed = 1): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  let state = (seed * 2654435761) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = (state >>> 8) / 2 ** 23 - 1;
  }
  return values;
}

/** The same values in 16 bits, bf16 cut and f16 rounded: the bytes for the GPU, and what they stand for. */
export function randomPacked(length: number, dtype: "bf16" | "f16", seed = 1): {
  bytes: Uint8Array<ArrayBuffer>;
  values: Float32Array<ArrayBuffer>;
} {
  const values = random(length, seed);
  if (dtype === "f16") {
    const halves = Float16Array.from(values);
    return { bytes: new Uint8Array(halves.buffer), values: Float32Array.from(halves) };
  }
  const bits = new Uint32Array(values.buffer);
  const packed = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    packed[i] = bits[i]! >>> 16;
    bits[i]! &= 0xffff0000;
  }
  return { bytes: new Uint8Array(packed.buffer), values };
}

/** At most `many` different positions in [0, count), always the first and the last, the others spread irregularly. */
export function picks(count: number, many: number): number[] {
  const inner = Array.from(random(many, count), (value) => Math.floor((value + 1) / 2 * count));
  return [...new Set([0, count - 1, ...inner])].slice(0, many);
}
