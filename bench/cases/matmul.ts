import { type Gpu, matmul, tensor } from "@fluxsr/kernels";
import { matmulReference } from "../../tests/reference/matmul.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { picks, random, randomBf16 } from "../random.ts";
import type { MatmulShape } from "../shapes.ts";

export function matmulCase(row: Row<MatmulShape>): Case {
  const { name, origin, m, k, n, dtype = "f32" } = row;
  return {
    name: `matmul/${name}`,
    shape: `${m} x ${k} x ${n}${dtype === "f32" ? "" : ` ${dtype}`}`,
    origin,
    flops: 2 * m * k * n,
    bytes: 4 * (m * k + m * n) + (dtype === "bf16" ? 2 : 4) * k * n,
    open: (gpu) => open(gpu, row),
  };
}

function open(gpu: Gpu, { m, k, n, dtype }: MatmulShape): Work {
  const x = random(m * k, 1);
  const w = dtype === "bf16" ? randomBf16(k * n, 2) : { bytes: undefined, values: random(k * n, 2) };
  const a = tensor(gpu, x, [m, k]);
  const b = w.bytes ? tensor(gpu, w.bytes, [k, n], "bf16") : tensor(gpu, w.values as typeof x, [k, n]);
  return {
    inputs: [a, b],
    run: () => matmul(a, b),
    samples: () => matmulSamples({ m, k, n, a: x, b: w.values }),
  };
}

/** The product of a few rows and a few columns. */
export function* matmulSamples(
  { m, k, n, a, b }: { m: number; k: number; n: number; a: Float32Array; b: Float32Array },
): Generator<Sample> {
  const rows = picks(m, 8);
  const columns = picks(n, 8);
  const someRows = rows.flatMap((row) => [...a.subarray(row * k, (row + 1) * k)]);
  const someColumns = Array.from({ length: k }, (_, i) => columns.map((column) => b[i * n + column]!)).flat();
  const product = matmulReference(someRows, someColumns, { m: rows.length, k, n: columns.length });
  for (const [i, expected] of product.entries()) {
    const [row, column] = [Math.floor(i / columns.length), i % columns.length];
    yield { at: rows[row]! * n + columns[column]!, expected };
  }
}
