/** Element types on the GPU. f16 and bf16 are storage formats of weights, packed in pairs in u32; arithmetic is f32. */
export type Dtype = "f32" | "f16" | "bf16";

/** Bytes that `count` elements of `dtype` take, rounded up to whole u32. */
export function byteLength(dtype: Dtype, count: number): number {
  return dtype === "f32" ? count * 4 : Math.ceil(count / 2) * 4;
}
