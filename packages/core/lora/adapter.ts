/** A low-rank change of a linear weight W [out, in]: W + scale B A, with A [rank, in] and B [out, rank]. */
export interface LoraAdapter {
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  readonly rank: number;
  readonly in: number;
  readonly out: number;
  readonly scale: number;
}
