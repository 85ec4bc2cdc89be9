import { setFloat16 } from "./float16.ts";

/** Elements of a K block, and of the parts that have a scale and a minimum each. */
const BLOCK = 256, PART = 32, PARTS = BLOCK / PART;

/** The largest 6-bit scale or minimum. */
const SIX_BITS = 63;

/** Widths that are tried for the range of a part, in steps that it is divided into beyond those that there are. */
const CANDIDATES = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];

/** Scale and minimum of a part: x = scale q - minimum, both at least 0. */
interface Affine {
  scale: number;
  minimum: number;
}

/** Used again for every part: nothing is allocated for a block. */
const levels = new Uint8Array(BLOCK);

/**
 * Writes `values[i .. i + 256]` as a block of Q4_K or Q5_K to `bytes` from `at` on; the layout: see `dequantize`.
 *
 * Each part has the scale and minimum of the least squared error among those that a few roundings of it lead to; they
 * are then rounded to 6 bits, as multiples of the block's, and the values to what these give.
 */
export function quantizeK(
  values: Float32Array,
  i: number,
  { bytes, at, bits }: { bytes: Uint8Array<ArrayBuffer>; at: number; bits: 4 | 5 },
): void {
  const most = 2 ** bits - 1;
  const fits = Array.from({ length: PARTS }, (_, j) => fit(values, i + j * PART, most));
  const d = unit(fits.map(({ scale }) => scale)), dmin = unit(fits.map(({ minimum }) => minimum));
  setFloat16(bytes, at, d);
  setFloat16(bytes, at + 2, dmin);
  const s = fits.map(({ scale }) => sixBits(scale, d)), m = fits.map(({ minimum }) => sixBits(minimum, dmin));
  for (let j = 0; j < PARTS; j++) round(values, i, { j, most, scale: d * s[j]!, minimum: dmin * m[j]! });
  for (let j = 0; j < 4; j++) {
    bytes[at + 4 + j] = s[j]! | s[j + 4]! >> 4 << 6;
    bytes[at + 8 + j] = m[j]! | m[j + 4]! >> 4 << 6;
    bytes[at + 12 + j] = s[j + 4]! & 15 | (m[j + 4]! & 15) << 4;
  }
  let next = at + 16;
  if (bits === 5) {
    for (let k = 0; k < PART; k++) {
      let fifth = 0;
      for (let j = 0; j < PARTS; j++) fifth |= levels[j * PART + k]! >> 4 << j;
      bytes[next++] = fifth;
    }
  }
  for (let j = 0; j < BLOCK; j += 2 * PART) {
    for (let k = 0; k < PART; k++) bytes[next++] = levels[j + k]! & 15 | (levels[j + PART + k]! & 15) << 4;
  }
}

/** What 63 parts of give the largest of `numbers`, as f16. */
function unit(numbers: readonly number[]): number {
  return Math.f16round(Math.max(...numbers) / SIX_BITS);
}

function sixBits(value: number, unit: number): number {
  return unit === 0 ? 0 : Math.min(SIX_BITS, Math.round(value / unit));
}

/** The best scale and minimum found for the part from `i` on with levels 0 to `most`. */
function fit(values: Float32Array, i: number, most: number): Affine {
  let low = 0, high = -Infinity, sumX = 0, sumXX = 0;
  for (let k = i; k < i + PART; k++) {
    const x = values[k]!;
    if (x < low) low = x;
    if (x > high) high = x;
    sumX += x;
    sumXX += x * x;
  }
  if (high <= low) return { scale: 0, minimum: -low }; // all are the same, and not above 0
  let best = { scale: (high - low) / most, minimum: -low }, least = Infinity;
  for (const extra of CANDIDATES) {
    const inverse = (most + extra) / (high - low);
    let sumQ = 0, sumQQ = 0, sumXQ = 0;
    for (let k = i; k < i + PART; k++) {
      const x = values[k]!;
      const q = Math.min(most, Math.floor((x - low) * inverse + 0.5));
      sumQ += q;
      sumQQ += q * q;
      sumXQ += x * q;
    }
    // Least squares of x = scale q - minimum for these q; without a minimum where that would be below 0.
    const determinant = PART * sumQQ - sumQ * sumQ;
    if (determinant === 0) continue;
    let scale = (PART * sumXQ - sumX * sumQ) / determinant;
    let minimum = (scale * sumQ - sumX) / PART;
    if (minimum < 0) {
      minimum = 0;
      scale = sumXQ / sumQQ;
    }
    const error = sumXX + scale * scale * sumQQ + PART * minimum * minimum -
      2 * (scale * sumXQ - minimum * sumX + scale * minimum * sumQ);
    if (scale <= 0 || error >= least) continue;
    least = error;
    best = { scale, minimum };
  }
  return best;
}

/** Writes the levels of part `j`. */
function round(
  values: Float32Array,
  i: number,
  { j, most, scale, minimum }: { j: number; most: number } & Affine,
): void {
  for (let k = j * PART; k < (j + 1) * PART; k++) {
    const q = scale === 0 ? 0 : Math.floor((values[i + k]! + minimum) / scale + 0.5);
    levels[k] = Math.max(0, Math.min(most, q));
  }
}
