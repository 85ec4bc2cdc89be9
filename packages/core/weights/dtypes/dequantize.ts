import { isWeightDtype, toF32, type WeightDtype } from "./dtype.ts";

/** Types of blocks of ggml that are read. */
export type GgmlDtype = "Q8_0" | "Q4_0" | "Q4_K" | "Q5_K";

/** All that weights may be read from. */
export type ReadableDtype = WeightDtype | GgmlDtype | "F8_E4M3";

/** Elements and bytes of a block. */
export interface ByteLayout {
  readonly elements: number;
  readonly bytes: number;
}

const LAYOUTS: Readonly<Record<ReadableDtype, ByteLayout>> = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  F8_E4M3: { elements: 1, bytes: 1 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
};

/** The readable dtypes, for messages. */
export const READABLE = "F32, F16, BF16, F8_E4M3, Q8_0, Q4_0, Q4_K or Q5_K";

/** Whether tensors of `dtype` can be read as weights. */
export function isReadableDtype(dtype: string): dtype is ReadableDtype {
  return Object.hasOwn(LAYOUTS, dtype);
}

/** Whether `dtype` is a type of blocks of ggml. */
export function isGgmlDtype(dtype: string): dtype is GgmlDtype {
  return Object.hasOwn(BLOCKS, dtype);
}

/** The blocks of `dtype`; a plain element is a block of one. */
export function layoutOf(dtype: ReadableDtype): ByteLayout {
  return LAYOUTS[dtype];
}

/** `bytes`, as they are stored, as numbers; `scale` is that of all elements of an F8_E4M3 tensor. */
export function dequantize(
  bytes: Uint8Array,
  { dtype, scale = 1 }: { dtype: ReadableDtype; scale?: number | undefined },
): Float32Array<ArrayBuffer> {
  if (isWeightDtype(dtype)) return toF32(bytes, dtype);
  if (dtype === "F8_E4M3") {
    const values = E4M3.map((value) => value * scale);
    const result = new Float32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) result[i] = values[bytes[i]!]!;
    return result;
  }
  const { elements, bytes: size } = LAYOUTS[dtype];
  const result = new Float32Array(bytes.length / size * elements);
  for (let block = 0; block * size < bytes.length; block++) {
    const values = result.subarray(block * elements, (block + 1) * elements);
    BLOCKS[dtype](new DataView(bytes.buffer, bytes.byteOffset + block * size, size), values);
  }
  return result;
}

/** All f8 e4m3fn, OCP 8-bit Floating Point Specification 1.0: bias 7, no infinities, NaN is 0x7f and 0xff. */
const E4M3 = Float32Array.from({ length: 256 }, (_, bits) => {
  const exponent = (bits >> 3) & 15, fraction = bits & 7;
  const sign = bits > 127 ? -1 : 1;
  if (exponent === 15 && fraction === 7) return NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10));
});

/** The values of a block; layouts: block_* of https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h */
const BLOCKS: Readonly<Record<GgmlDtype, (block: DataView, values: Float32Array) => void>> = {
  // x = d q: f16 d, i8 q[32].
  Q8_0(block, values) {
    const d = block.getFloat16(0, true);
    for (let i = 0; i < 32; i++) values[i] = d * block.getInt8(2 + i);
  },
  // x = d (q - 8): f16 d, 16 bytes whose lower halves are the first 16 q.
  Q4_0(block, values) {
    const d = block.getFloat16(0, true);
    for (let i = 0; i < 32; i++) values[i] = d * (((block.getUint8(2 + i % 16) >> (i < 16 ? 0 : 4)) & 15) - 8);
  },
  // x = d s q - dmin m: 16 bytes of scales, then 32 bytes for each 64 elements, whose lower halves are the first 32 q.
  Q4_K(block, values) {
    const scales = kScales(block);
    for (let i = 0; i < 256; i++) values[i] = scales(i >> 5, nibble(block, { start: 16, i }));
  },
  // As Q4_K, with 32 bytes of fifth bits before the halves: bit j of byte i belongs to q[32 j + i].
  Q5_K(block, values) {
    const scales = kScales(block);
    for (let i = 0; i < 256; i++) {
      const fifth = (block.getUint8(16 + i % 32) >> (i >> 5)) & 1;
      values[i] = scales(i >> 5, nibble(block, { start: 48, i }) + 16 * fifth);
    }
  },
};

function nibble(block: DataView, { start, i }: { start: number; i: number }): number {
  return (block.getUint8(start + (i >> 6) * 32 + i % 32) >> (i & 32 ? 4 : 0)) & 15;
}

/**
 * `(j, q) -> d s[j] q - dmin m[j]` of a K block: f16 d, f16 dmin, 12 bytes c with a 6-bit s and m for each 32 elements.
 * For j < 4 they are the lower bits of c[j] and c[j + 4]; else their lower four are the halves of c[j + 4], their upper
 * two the top bits of c[j - 4] and c[j]. Each product is rounded to f32, as ggml does.
 */
function kScales(block: DataView): (j: number, q: number) => number {
  const [d, dmin] = [block.getFloat16(0, true), block.getFloat16(2, true)];
  const c = (j: number) => block.getUint8(4 + j);
  const scales = Array.from({ length: 8 }, (_, j) => {
    const [s, m] = j < 4
      ? [c(j) & 63, c(j + 4) & 63]
      : [(c(j + 4) & 15) | (c(j - 4) >> 6 << 4), (c(j + 4) >> 4) | (c(j) >> 6 << 4)];
    return [Math.fround(d * s), Math.fround(dmin * m)] as const;
  });
  return (j, q) => Math.fround(scales[j]![0] * q) - scales[j]![1];
}
