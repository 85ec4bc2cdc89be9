import { byteLength, type Gpu, matmul, tensor } from "@fluxsr/kernels";
import { matmulReference } from "../../tests/reference/matmul.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { type PackedDtype, packedWeights } from "../packed.ts";
import { picks, random } from "../random.ts";
import type { MatmulShape } from "../shapes/matmul.ts";

export function matmulCase(row: Row<MatmulShape>): Case {
  const { name, origin, m, k, n, transposeB, dtype = "f32" } = row;
  return {
    name: `matmul/${name}`,
    shape: `${m} x ${k} x ${n}${transposeB ? " nt" : ""}${dtype === "f32" ? "" : ` ${dtype}`}`,
    origin,
    flops: 2 * m * k * n,
    bytes: productBytes(row),
    open: (gpu) => open(gpu, row),
  };
}

/** What a product must read and write. */
export function productBytes({ m, k, n, dtype }: MatmulShape): number {
  return 4 * (m * k + m * n) + byteLength(dtype ?? "f32", k * n);
}

function open(gpu: Gpu, { m, k, n, dtype, transposeB = false }: MatmulShape): Work {
  const x = random(m * k, 1);
  const a = tensor(gpu, x, [m, k]);
  const { b, values } = uploadB(gpu, transposeB ? [n, k] : [k, n], dtype);
  return {
    inputs: [a, b],
    run: () => matmul(a, b, { transposeB }),
    samples: () => matmulSamples({ m, k, n, transposeB, a: x, b: values }),
  };
}

/** The right side of a product, and what it holds. */
export function uploadB(gpu: Gpu, shape: readonly [number, number], dtype?: PackedDtype) {
  const size = shape[0] * shape[1];
  if (!dtype) {
    const values = random(size, 2);
    return { b: tensor(gpu, values, shape), values };
  }
  const { bytes, values } = packedWeights(size, dtype, 2);
  return { b: tensor(gpu, bytes, shape, dtype), values };
}

/** The product of a few rows and a few columns; `a` is [k, m] if transposed. */
export function* matmulSamples({ m, k, n, transposeA = false, transposeB = false, a, b }: MatmulShape & {
  readonly transposeA?: boolean;
  readonly a: Float32Array;
  readonly b: Float32Array;
}): Generator<Sample> {
  const rows = picks(m, 8);
  const columns = picks(n, 8);
  const someA = rows.flatMap((row) => Array.from({ length: k }, (_, i) => a[transposeA ? i * m + row : row * k + i]!));
  const someB = columns.flatMap((column) =>
    Array.from({ length: k }, (_, i) => b[transposeB ? column * k + i : i * n + column]!)
  );
  const sizes = { m: rows.length, k, n: columns.length };
  for (const [i, expected] of matmulReference(someA, someB, { ...sizes, transposeB: true }).entries()) {
    const [row, column] = [Math.floor(i / columns.length), i % columns.length];
    yield { at: rows[row]! * n + columns[column]!, expected };
  }
}
