import { sizeOf } from "@fluxsr/kernels";
import { fromF32, hashBits, type RowTensor } from "@fluxsr/core";
import { randomOf } from "@fluxsr/train";

/** How synthetic weights are stored. */
export type SyntheticDtype = "F32" | "F16" | "BF16";

/** Different values that a tensor can have. Sixteen bits: a hash of 32 picks two. */
const VALUES = 2 ** 16;

/** Elements of a chunk, an even number: 8 MiB of bf16. */
const CHUNK = 2 ** 22;

/** Standard deviation of biases. */
const BIAS = 0.02;

/** Standard deviation of norms' scales around 1: scales that are all 1 would hide that one is not read, or another. */
const SCALE = 0.1;

/**
 * Seeded values for parameters of these names and shapes, the same in whatever order and pieces they are taken, and
 * small enough for activations to stay finite: weights normal with deviation 1 / sqrt(fan in), scales of norms normal
 * around 1 with deviation 0.1, biases normal with deviation 0.02.
 *
 * Element i is one of 65536 normal numbers, drawn once for all tensors: half i mod 2 of hash(i / 2 + key) picks it, with
 * a key of the seed and the tensor's name. That is ten times as fast as drawing each.
 */
export function syntheticRows(
  parameters: Iterable<readonly [string, { readonly shape: readonly number[] }]>,
  { seed, dtype }: { seed: number; dtype: SyntheticDtype },
): Map<string, RowTensor> {
  const random = randomOf(seed, "synthetic");
  const normals = Float32Array.from({ length: VALUES }, () => random.normal());
  return new Map([...parameters].map(([name, { shape }]) => {
    const inner = sizeOf(shape.slice(1));
    const key = randomOf(seed, "synthetic", name).seed();
    const rows = (begin: number, end: number) => {
      const values = fromF32(normals.map(transform(name, shape)), dtype);
      return chunks(values, { key, begin: begin * inner, end: end * inner });
    };
    return [name, { dtype, shape, rows }];
  }));
}

/** From a normal number to a value of the parameter. */
function transform(name: string, shape: readonly number[]): (normal: number) => number {
  if (name.endsWith(".bias")) return (normal) => BIAS * normal;
  if (shape.length === 1) return (normal) => 1 + SCALE * normal;
  const deviation = 1 / Math.sqrt(sizeOf(shape.slice(1)));
  return (normal) => deviation * normal;
}

/** Elements `begin` to `end` as bytes; `values` are the 65536 that there are. */
function* chunks(
  values: Uint8Array<ArrayBuffer>,
  { key, begin, end }: { key: number; begin: number; end: number },
): Generator<Uint8Array> {
  const size = values.length / VALUES;
  const Elements = size === 4 ? Uint32Array : Uint16Array;
  const table = new Elements(values.buffer);
  const chunk = new Elements(Math.min(CHUNK, end - begin + 2)); // pairs: one more at either end
  for (let at = begin - begin % 2; at < end; at += CHUNK) {
    const length = Math.min(CHUNK, end - at);
    for (let i = 0; i < length; i += 2) {
      const bits = hashBits((at + i) / 2 + key);
      chunk[i] = table[bits & 0xffff]!;
      chunk[i + 1] = table[bits >>> 16]!;
    }
    yield new Uint8Array(chunk.buffer).subarray(size * Math.max(0, begin - at), size * length);
  }
}
