import { conv2d, type Gpu, tensor } from "@fluxsr/kernels";
import { convReference } from "../../tests/reference/conv2d.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { picks, random } from "../random.ts";
import type { Conv3x3Shape } from "../shapes.ts";

export function convCase(row: Row<Conv3x3Shape>): Case {
  const { name, origin, side, inputs, outputs, stride = 1 } = row;
  const pixels = (side / stride) ** 2;
  return {
    name: `conv2d/${name}`,
    shape: `${side}^2 ${inputs}->${outputs}${stride === 1 ? "" : ` stride ${stride}`}`,
    origin,
    flops: 2 * 9 * inputs * outputs * pixels,
    bytes: 4 * (side ** 2 * inputs + 9 * inputs * outputs + pixels * outputs),
    open: (gpu) => open(gpu, row),
  };
}

function open(gpu: Gpu, { side, inputs, outputs, stride = 1 }: Conv3x3Shape): Work {
  const data = { x: random(side ** 2 * inputs, 1), weight: random(9 * inputs * outputs, 2) };
  const x = tensor(gpu, data.x, [1, side, side, inputs]);
  const weight = tensor(gpu, data.weight, [3, 3, inputs, outputs]);
  // With stride 2, the autoencoder pads below and right only.
  const padding = stride === 1 ? 1 : { top: 0, left: 0, bottom: 1, right: 1 };
  return {
    inputs: [x, weight],
    run: () => conv2d(x, weight, { stride, padding }),
    samples: () => convSamples({ height: side, width: side, inputs, outputs, stride, ...data }),
  };
}

/** Some pixels of a 3x3 convolution: each is one of a 3x3 picture, cut out with zeros where the picture ends. */
export function* convSamples({ height, width, inputs, outputs, stride = 1, x, weight }: {
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride?: number;
  readonly x: Float32Array;
  readonly weight: Float32Array;
}): Generator<Sample> {
  const before = stride === 1 ? 1 : 0;
  const columns = width / stride;
  for (const pixel of picks(height / stride * columns, 16)) {
    const top = Math.floor(pixel / columns) * stride - before;
    const left = pixel % columns * stride - before;
    const patch = new Float32Array(9 * inputs);
    for (let tap = 0; tap < 9; tap++) {
      const [row, column] = [top + Math.floor(tap / 3), left + tap % 3];
      if (row < 0 || column < 0 || row >= height || column >= width) continue;
      const from = (row * width + column) * inputs;
      patch.set(x.subarray(from, from + inputs), tap * inputs);
    }
    const sums = convReference(patch, weight, {
      batches: 1,
      height: 3,
      width: 3,
      channels: inputs,
      outputs,
      size: [3, 3],
      stride: 1,
      pad: { top: 0, left: 0 },
      out: [1, 1],
    });
    for (const [channel, expected] of sums.entries()) yield { at: pixel * outputs + channel, expected };
  }
}
