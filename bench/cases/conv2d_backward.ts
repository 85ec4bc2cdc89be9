import { conv2d, type Gpu, tensor } from "@fluxsr/kernels";
import { backwardWork } from "../backward_work.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { picks, random } from "../random.ts";
import type { Conv3x3Shape } from "../shapes.ts";
import { convSamples } from "./conv2d.ts";

/** A 3x3 convolution with stride 1 and padding 1, and the gradient of its result. */
export interface ConvData extends Omit<Conv3x3Shape, "stride"> {
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

export function convData({ side, inputs, outputs }: Conv3x3Shape): ConvData {
  const pixels = side ** 2;
  return {
    side,
    inputs,
    outputs,
    x: random(pixels * inputs, 1),
    weight: random(9 * inputs * outputs, 2),
    dy: random(pixels * outputs, 3),
  };
}

export function convGradientSamples(data: ConvData): Record<"dx" | "dw", Iterable<Sample>> {
  return { dx: dataSamples(data), dw: weightSamples(data) };
}

/** That of x is a convolution of dy with the weight turned around, inputs and outputs exchanged. */
function dataSamples({ side, inputs, outputs, weight, dy }: ConvData): Iterable<Sample> {
  const turned = Float32Array.from(weight, (_, i) => {
    const [tap, output, input] = [Math.floor(i / (inputs * outputs)), Math.floor(i / inputs) % outputs, i % inputs];
    return weight[((8 - tap) * inputs + input) * outputs + output]!;
  });
  return convSamples({ height: side, width: side, inputs: outputs, outputs: inputs, x: dy, weight: turned });
}

/** That of a weight is the sum of all that it was multiplied with, each times the gradient of where it went. */
function* weightSamples({ side, inputs, outputs, x, dy }: ConvData): Generator<Sample> {
  for (const at of picks(9 * inputs * outputs, 24)) {
    const [tap, input, output] = [Math.floor(at / (inputs * outputs)), Math.floor(at / outputs) % inputs, at % outputs];
    const [down, right] = [Math.floor(tap / 3) - 1, tap % 3 - 1];
    let expected = 0;
    for (let row = Math.max(0, -down); row < Math.min(side, side - down); row++) {
      for (let column = Math.max(0, -right); column < Math.min(side, side - right); column++) {
        expected += x[((row + down) * side + column + right) * inputs + input]! *
          dy[(row * side + column) * outputs + output]!;
      }
    }
    yield { at, expected };
  }
}

/** The backward pass of a convolution with stride 1: of the data, and of the weight. */
export function convBackwardCases(row: Row<Conv3x3Shape>): Case[] {
  const { name, origin, side, inputs, outputs } = row;
  return (["dx", "dw"] as const).map((gradient) => ({
    name: `conv2d_backward/${name}.${gradient}`,
    shape: `${side}^2 ${inputs}->${outputs}`,
    origin,
    flops: 2 * 9 * inputs * outputs * side ** 2,
    bytes: 4 * (side ** 2 * (inputs + outputs) + 9 * inputs * outputs),
    open: (gpu) => open(gpu, row, gradient),
  }));
}

function open(gpu: Gpu, shape: Conv3x3Shape, gradient: "dx" | "dw"): Work {
  const { side, inputs, outputs } = shape;
  const data = convData(shape);
  const x = tensor(gpu, data.x, [1, side, side, inputs]);
  const weight = tensor(gpu, data.weight, [3, 3, inputs, outputs]);
  const dy = tensor(gpu, data.dy, [1, side, side, outputs]);
  const [wanted, others] = gradient === "dx" ? [[x], [weight]] : [[weight], [x]];
  return {
    ...backwardWork({ wanted, others, dy }, () => conv2d(x, weight, { padding: 1 })),
    samples: () => convGradientSamples(data)[gradient],
  };
}
