/**
 * Element types on the GPU; all but f32 are storage formats of weights, and arithmetic is f32. f16 and bf16 are packed
 * in pairs in u32. f8_e4m3 is one f32 scale, then the elements, four in a u32. The others are ggml's blocks along a
 * row, as a GGUF file has them.
 */
export type Dtype = "f32" | "f16" | "bf16" | "f8_e4m3" | "q8_0" | "q4_0" | "q4_k" | "q5_k";

/** Elements and bytes of a block, and bytes before the first. */
interface Layout {
  readonly elements: number;
  readonly bytes: number;
  readonly header?: number;
}

/** Block sizes: https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h */
const LAYOUTS: Readonly<Record<Dtype, Layout>> = {
  f32: { elements: 1, bytes: 4 },
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  f8_e4m3: { elements: 1, bytes: 1, header: 4 },
  q8_0: { elements: 32, bytes: 34 },
  q4_0: { elements: 32, bytes: 18 },
  q4_k: { elements: 256, bytes: 144 },
  q5_k: { elements: 256, bytes: 176 },
};

/** Bytes of the data of `count` elements of `dtype`, which are whole blocks. */
export function dataLength(dtype: Dtype, count: number): number {
  const { elements, bytes, header = 0 } = LAYOUTS[dtype];
  return header + count / elements * bytes;
}

/** Bytes that `count` elements of `dtype` take, rounded up to whole u32. */
export function byteLength(dtype: Dtype, count: number): number {
  return Math.ceil(dataLength(dtype, count) / 4) * 4;
}

/** What the length of a row must be a multiple of for kernels to read it: they read four elements of a block at once. */
export function rowMultiple(dtype: Dtype): number {
  return dtype === "f32" ? 1 : Math.max(4, LAYOUTS[dtype].elements);
}
