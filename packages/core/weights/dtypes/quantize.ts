import { type GgmlDtype, isGgmlDtype, layoutOf } from "./dequantize.ts";
import { setFloat16 } from "./float16.ts";
import { quantizeK } from "./quantize_k.ts";

/** All that weights can be rounded to in blocks, or with a scale. */
export type QuantisedDtype = GgmlDtype | "F8_E4M3";

/** Whether tensors of `dtype` are quantised. */
export function isQuantised(dtype: string | undefined): dtype is QuantisedDtype {
  return dtype !== undefined && (dtype === "F8_E4M3" || isGgmlDtype(dtype));
}

/**
 * `values` as bytes of `dtype`, the inverse of `dequantize` up to rounding: whole blocks of ggml's types, or F8_E4M3,
 * rounded to the nearest and ties to even, as multiples of `scale` (see {@linkcode e4m3Scale}).
 */
export function quantize(
  values: Float32Array,
  { dtype, scale = 1 }: { dtype: QuantisedDtype; scale?: number },
): Uint8Array<ArrayBuffer> {
  if (dtype === "F8_E4M3") return e4m3(values, scale);
  const { elements, bytes: size } = layoutOf(dtype);
  const result = new Uint8Array(values.length / elements * size);
  const write = BLOCKS[dtype];
  for (let i = 0, at = 0; i < values.length; i += elements, at += size) write(values, i, result, at);
  return result;
}

/** The largest finite F8_E4M3. */
const E4M3_MAX = 448;

/**
 * A scale for values of at most `largest`: the least power of two by which they fit. It need be no finer, since rounding
 * is relative to the value but for subnormals, and values that had such a scale before are exact with the next.
 */
export function e4m3Scale(largest: number): number {
  return largest === 0 ? 1 : 2 ** Math.ceil(Math.log2(largest / E4M3_MAX));
}

/** To f8 e4m3fn: the upper bits of an f32 with another bias (7 for 127), subnormals in steps of 2^-9. */
function e4m3(values: Float32Array, scale: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(values.length);
  const value = new Float32Array(1), bits = new Uint32Array(value.buffer);
  for (let i = 0; i < result.length; i++) {
    value[0] = values[i]! / scale;
    const sign = bits[0]! >>> 31 << 7, magnitude = bits[0]! & 0x7fffffff;
    if (magnitude >= 0x3c800000) { // 2^-6, the least normal one
      const rounded = magnitude + 0x7ffff + (magnitude >>> 20 & 1) >>> 20;
      result[i] = sign | Math.min(rounded - (120 << 3), 0x7f);
    } else {
      // Beside 2^14 an f32 has steps of 2^-9.
      value[0] = Math.abs(value[0]!) + 2 ** 14;
      result[i] = sign | bits[0]! & 15;
    }
  }
  return result;
}

/** Writes the block of `values` from `i` on to `bytes` from `at` on; layouts: see `dequantize`. */
type BlockWriter = (values: Float32Array, i: number, bytes: Uint8Array<ArrayBuffer>, at: number) => void;

/**
 * Those of 32 are rounded as in ggml's reference, ggml-quants.c (quantize_row_*_ref), step by step in f32: the bits are the
 * same. Values are finite.
 */
const BLOCKS: Readonly<Record<GgmlDtype, BlockWriter>> = {
  // d = max |x| / 127, q = x / d rounded to the nearest, halves away from 0.
  Q8_0(values, i, bytes, at) {
    let largest = 0;
    for (let k = 0; k < 32; k++) largest = Math.max(largest, Math.abs(values[i + k]!));
    const d = Math.fround(largest / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    setFloat16(bytes, at, d);
    for (let k = 0; k < 32; k++) {
      const x = Math.fround(values[i + k]! * inverse);
      bytes[at + 2 + k] = x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5);
    }
  },
  // The value of the largest magnitude is -8 d.
  Q4_0(values, i, bytes, at) {
    let extreme = 0;
    for (let k = 0; k < 32; k++) if (Math.abs(values[i + k]!) > Math.abs(extreme)) extreme = values[i + k]!;
    const d = extreme / -8;
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const q = (k: number) => Math.min(15, Math.floor(Math.fround(Math.fround(values[i + k]! * inverse) + 8.5)));
    setFloat16(bytes, at, d);
    for (let k = 0; k < 16; k++) bytes[at + 2 + k] = q(k) | q(k + 16) << 4;
  },
  Q4_K: (values, i, bytes, at) => quantizeK(values, i, { bytes, at, bits: 4 }),
  Q5_K: (values, i, bytes, at) => quantizeK(values, i, { bytes, at, bits: 5 }),
};
