import { type Dtype } from "@fluxsr/kernels";
import { dequantize, layoutOf } from "../packages/core/weights/dtypes/dequantize.ts";
import { e4m3Scale, type QuantisedDtype, quantize } from "../packages/core/weights/dtypes/quantize.ts";
import { random, randomPacked } from "./random.ts";

/** How weights may be stored other than as f32. */
export type PackedDtype = Exclude<Dtype, "f32">;

/** Different pieces that quantised weights are made of: whole ones take minutes to round. */
const PIECES = 61;
/** Elements of a piece: whole blocks of all types. */
const PIECE = 256;

/** Values in [-1, 1) as `dtype` rounds them: the bytes for the GPU, and what they stand for. */
export function packedWeights(
  length: number,
  dtype: PackedDtype,
  seed = 1,
): { bytes: Uint8Array<ArrayBuffer>; values: Float32Array<ArrayBuffer> } {
  return dtype === "f16" || dtype === "bf16" ? randomPacked(length, dtype, seed) : quantised(length, dtype, seed);
}

function quantised(length: number, dtype: Exclude<PackedDtype, "f16" | "bf16">, seed: number) {
  const stored = dtype.toUpperCase() as QuantisedDtype;
  const scale = e4m3Scale(1);
  const pool = quantize(random(PIECES * PIECE, seed), { dtype: stored, scale });
  const poolValues = dequantize(pool, { dtype: stored, scale });
  const layout = layoutOf(stored);
  const size = PIECE / layout.elements * layout.bytes;
  // The kernels read the scale of f8 from before the elements.
  const header = dtype === "f8_e4m3" ? new Uint8Array(Float32Array.of(scale).buffer) : new Uint8Array();
  const bytes = new Uint8Array(header.length + length / layout.elements * layout.bytes);
  const values = new Float32Array(length);
  bytes.set(header);
  for (let at = 0, i = 0; at < length; at += PIECE, i++) {
    const piece = (i * 5 + Math.floor(i / PIECES)) % PIECES; // so that neighbours, and rows, differ
    const share = Math.min(PIECE, length - at) / PIECE;
    bytes.set(pool.subarray(piece * size, (piece + share) * size), header.length + i * size);
    values.set(poolValues.subarray(piece * PIECE, (piece + share) * PIECE), at);
  }
  return { bytes, values };
}
