import { type Gpu, matmul, type MatmulOptions, tensor } from "@fluxsr/kernels";
import { gelu } from "../../tests/reference/activation.ts";
import type { Case, Row, Work } from "../case.ts";
import { random } from "../random.ts";
import type { FusedShape } from "../shapes/matmul.ts";
import { matmulSamples, productBytes, uploadB } from "./matmul.ts";

/** Of the low-rank product, as an adapter has it. */
const ALPHA = 0.5;

/** What is done to a product in the same pass. */
interface Epilogue {
  /** Elements that it reads, beside those of the product. */
  readonly elements: (shape: FusedShape) => number;
  readonly open: (gpu: Gpu, shape: FusedShape) => {
    readonly options: MatmulOptions;
    readonly inputs: Work["inputs"];
    /** What becomes of a sum, element `at` of the product. */
    readonly finish: (sum: number, at: number) => number;
  };
}

const EPILOGUES: Readonly<Record<FusedShape["epilogue"], Epilogue>> = {
  /** `gelu(x W^T + bias)` */
  bias_gelu: {
    elements: ({ n }) => n,
    open(gpu, { n }) {
      const values = random(n, 3);
      const bias = tensor(gpu, values, [n]);
      return {
        options: { bias, activation: "gelu" },
        inputs: [bias],
        finish: (sum, at) => gelu(sum + values[at % n]!),
      };
    },
  },
  /** `to + gate (x W^T + bias)` */
  gated: {
    elements: ({ m, n }) => m * n + 2 * n,
    open(gpu, { m, n }) {
      const [bias, gate, to] = [random(n, 3), random(n, 4), random(m * n, 5)];
      const residual = { to: tensor(gpu, to, [1, m, n]), gate: tensor(gpu, gate, [1, n]) };
      const added = tensor(gpu, bias, [n]);
      return {
        options: { bias: added, residual },
        inputs: [added, residual.to, residual.gate],
        finish: (sum, at) => to[at]! + gate[at % n]! * (sum + bias[at % n]!),
      };
    },
  },
  /** `alpha low B^T + addend`, the second product of an adapter, whose addend is that of the weight itself */
  lora: {
    elements: ({ m, n }) => m * n,
    open(gpu, { m, n }) {
      const values = random(m * n, 3);
      const addend = tensor(gpu, values, [1, m, n]);
      return {
        options: { alpha: ALPHA, addend },
        inputs: [addend],
        finish: (sum, at) => ALPHA * sum + values[at]!,
      };
    },
  },
};

/** A linear layer with what follows it in the same pass; a tape has GELU and the gate apart, so there is no backward row. */
export function matmulFusedCase(row: Row<FusedShape>): Case {
  const { name, origin, m, k, n, epilogue, dtype } = row;
  const { elements, open } = EPILOGUES[epilogue];
  return {
    name: `matmul_${epilogue}/${name}`,
    shape: `${m} x ${k} x ${n} nt${dtype ? ` ${dtype}` : ""}`,
    origin,
    flops: 2 * m * k * n,
    bytes: productBytes(row) + 4 * elements(row),
    open(gpu) {
      const values = random(m * k, 1);
      const x = tensor(gpu, values, [1, m, k]);
      const { b: weight, values: weights } = uploadB(gpu, [n, k], dtype);
      const { options, inputs, finish } = open(gpu, row);
      return {
        inputs: [x, weight, ...inputs],
        run: () => matmul(x, weight, { transposeB: true, ...options }),
        *samples() {
          for (const { at, expected } of matmulSamples({ m, k, n, transposeB: true, a: values, b: weights })) {
            yield { at, expected: finish(expected, at) };
          }
        },
      };
    },
  };
}
