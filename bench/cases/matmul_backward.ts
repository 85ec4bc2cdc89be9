import { type Gpu, matmul, tensor } from "@fluxsr/kernels";
import { backwardWork } from "../backward_work.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { random } from "../random.ts";
import type { MatmulShape } from "../shapes/matmul.ts";
import { matmulSamples, productBytes, uploadB } from "./matmul.ts";

/** `y = x W^T` of a linear layer, and the gradient of y: `x [m, k], weight [n, k], dy [m, n]`. */
export interface LinearData extends MatmulShape {
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

export function linearData({ m, k, n }: MatmulShape): LinearData {
  return { m, k, n, x: random(m * k, 1), weight: random(k * n, 2), dy: random(m * n, 3) };
}

/** `dx = dy W` and `dW = dy^T x`. */
export function linearGradientSamples({ m, k, n, x, weight, dy }: LinearData): Record<"dx" | "dw", Iterable<Sample>> {
  return {
    dx: matmulSamples({ m, k: n, n: k, a: dy, b: weight }),
    dw: matmulSamples({ m: n, k: m, n: k, transposeA: true, a: dy, b: x }),
  };
}

/** The backward pass of a linear layer: of its input, and of its weight unless that is packed, and so never trained. */
export function matmulBackwardCases(row: Row<MatmulShape>): Case[] {
  const { name, origin, m, k, n, dtype } = row;
  const gradients = dtype ? ["dx"] as const : ["dx", "dw"] as const;
  return gradients.map((gradient) => ({
    name: `matmul_backward/${name}.${gradient}`,
    shape: `${m} x ${k} x ${n} nt${dtype ? ` ${dtype}` : ""}`,
    origin,
    flops: 2 * m * k * n,
    bytes: productBytes(row),
    open: (gpu) => open(gpu, row, gradient),
  }));
}

function open(gpu: Gpu, { m, k, n, dtype }: MatmulShape, gradient: "dx" | "dw"): Work {
  const { b: weight, values } = uploadB(gpu, [n, k], dtype);
  const data = { m, k, n, x: random(m * k, 1), weight: values, dy: random(m * n, 3) };
  const x = tensor(gpu, data.x, [m, k]);
  const dy = tensor(gpu, data.dy, [m, n]);
  const [wanted, others] = gradient === "dx" ? [[x], [weight]] : [[weight], [x]];
  return {
    ...backwardWork({ wanted, others, dys: [dy] }, () => matmul(x, weight, { transposeB: true })),
    samples: () => linearGradientSamples(data)[gradient],
  };
}
