const f16 = new Float16Array(1), f16Bytes = new Uint8Array(f16.buffer);

/** Writes `value`, rounded to the nearest f16 and ties to even, to `bytes` from `at` on. */
export function setFloat16(bytes: Uint8Array, at: number, value: number): void {
  f16[0] = value;
  bytes[at] = f16Bytes[0]!;
  bytes[at + 1] = f16Bytes[1]!;
}
