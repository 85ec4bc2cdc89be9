/** How weights may be stored. Arithmetic is f32; see {@linkcode toF32} and {@linkcode fromF32}. */
export type WeightDtype = "F32" | "F16" | "BF16";

const BYTES: Readonly<Record<WeightDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Whether `dtype`, a safetensors name, is plain: its elements are numbers as they are, without scales. */
export function isWeightDtype(dtype: string): dtype is WeightDtype {
  return Object.hasOwn(BYTES, dtype);
}

/** Bytes that one element of `dtype` takes. */
export function bytesPerElement(dtype: WeightDtype): number {
  return BYTES[dtype];
}

/** `bytes` (little-endian `dtype`) as numbers. F32 bytes that are aligned are viewed, not copied. */
export function toF32(bytes: Uint8Array, dtype: WeightDtype): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = aligned(bytes, BYTES[dtype]);
  const count = length / BYTES[dtype];
  if (dtype === "F32") return new Float32Array(buffer, byteOffset, count);
  if (dtype === "F16") return new Float32Array(new Float16Array(buffer, byteOffset, count));
  // bf16 is the upper half of an f32.
  const bf16 = new Uint16Array(buffer, byteOffset, count);
  const bits = new Uint32Array(count);
  for (let i = 0; i < count; i++) bits[i] = bf16[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** `values` as little-endian `dtype` bytes, rounded to the nearest, ties to even. Always a copy. */
export function fromF32(values: Float32Array, dtype: WeightDtype): Uint8Array<ArrayBuffer> {
  if (dtype === "F32") return new Uint8Array(new Float32Array(values).buffer);
  if (dtype === "F16") return new Uint8Array(new Float16Array(values).buffer);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bf16 = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    const isNaN = (x & 0x7fffffff) > 0x7f800000;
    // Adding half of the lower half, less one if the kept part is even, rounds ties to even; a NaN keeps its top bits.
    bf16[i] = isNaN ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(bf16.buffer);
}

/** `bytes`, copied if a typed array with elements of `size` bytes could not start there. */
export function aligned(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = bytes;
  return buffer instanceof ArrayBuffer && byteOffset % size === 0
    ? new Uint8Array(buffer, byteOffset, bytes.length)
    : new Uint8Array(bytes);
}
