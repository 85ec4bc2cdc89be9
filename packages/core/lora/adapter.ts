/** A low-rank change of a linear weight W [out, in]: W + scale B A, with A [rank, in] and B [out, rank]. */
export interface LoraAdapter {
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  readonly rank: number;
  readonly in: number;
  readonly out: number;
  readonly scale: number;
}

/**
 * An adapter whose factors are made each time that they are asked for: those of a large model, widened to f32 and fused,
 * take more memory all together than what the file has.
 */
export function lazyAdapter(
  sizes: Omit<LoraAdapter, "a" | "b">,
  factors: { readonly a: () => LoraAdapter["a"]; readonly b: () => LoraAdapter["b"] },
): LoraAdapter {
  return {
    ...sizes,
    get a() {
      return factors.a();
    },
    get b() {
      return factors.b();
    },
  };
}
