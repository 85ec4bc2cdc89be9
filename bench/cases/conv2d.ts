import { conv2d, type Conv2dOptions, type Gpu, type Tensor, tensor } from "@fluxsr/kernels";
import { backwardWork } from "../backward_work.ts";
import type { Case, Row, Work } from "../case.ts";
import type { ConvShape } from "../shapes/conv2d.ts";
import { type ConvData, convData, convGradientSamples, convSamples } from "./conv2d_samples.ts";

/** What the forward pass and both gradients have in common. */
function common({ origin, side, inputs, outputs, size = 3, stride = 1, relu = false }: Row<ConvShape>) {
  const pixels = Math.floor(side / stride) ** 2;
  const notes = [size === 3 ? "" : ` ${size} x ${size}`, stride === 1 ? "" : ` stride ${stride}`, relu ? " relu" : ""];
  return {
    shape: `${side}^2 ${inputs}->${outputs}${notes.join("")}`,
    origin,
    flops: 2 * size ** 2 * inputs * outputs * pixels,
    bytes: 4 * (side ** 2 * inputs + size ** 2 * inputs * outputs + pixels * outputs),
  };
}

export function convCase(row: Row<ConvShape>): Case {
  return {
    ...common(row),
    name: `conv2d/${row.name}`,
    open(gpu) {
      const data = convData(row);
      const { x, weight, options, inputs } = upload(gpu, data);
      return { inputs, run: () => conv2d(x, weight, options), samples: () => convSamples(data) };
    },
  };
}

/** The backward pass of a convolution: of the data, and of the weight unless it is never trained. */
export function convBackwardCases(row: Row<ConvShape>): Case[] {
  const gradients = row.relu ? ["dx"] as const : ["dx", "dw"] as const;
  return gradients.map((gradient) => ({
    ...common(row),
    name: `conv2d_backward/${row.name}.${gradient}`,
    open: (gpu) => openBackward(gpu, row, gradient),
  }));
}

function openBackward(gpu: Gpu, shape: ConvShape, gradient: "dx" | "dw"): Work {
  const data = convData(shape);
  const { x, weight, options, inputs } = upload(gpu, data);
  const dy = tensor(gpu, data.dy, [1, data.outSide, data.outSide, data.outputs]);
  const wanted = [gradient === "dx" ? x : weight];
  const others = inputs.filter((input) => !wanted.includes(input));
  return {
    ...backwardWork({ wanted, others, dys: [dy] }, () => conv2d(x, weight, options)),
    samples: () => convGradientSamples(data)[gradient],
  };
}

function upload(gpu: Gpu, { side, inputs, outputs, size, stride, relu, padding, ...data }: ConvData): {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly options: Conv2dOptions;
  readonly inputs: readonly Tensor[];
} {
  const x = tensor(gpu, data.x, [1, side, side, inputs]);
  const weight = tensor(gpu, data.weight, [size, size, inputs, outputs]);
  if (!relu) return { x, weight, options: { stride, padding }, inputs: [x, weight] };
  const bias = tensor(gpu, data.bias, [outputs]);
  return { x, weight, options: { stride, padding, bias, activation: "relu" }, inputs: [x, weight, bias] };
}
