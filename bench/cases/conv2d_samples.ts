import { type Padding } from "@fluxsr/kernels";
import { convReference } from "../../tests/reference/conv2d.ts";
import type { Sample } from "../case.ts";
import { picks, random } from "../random.ts";
import type { ConvShape } from "../shapes/conv2d.ts";

/** A convolution and the gradient of its result, channels last, with a bias where ReLU follows. */
export interface ConvData extends Required<ConvShape> {
  readonly padding: Padding;
  /** Of the result. */
  readonly outSide: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

export function convData({ side, inputs, outputs, size = 3, stride = 1, relu = false }: ConvShape): ConvData {
  const outSide = Math.floor(side / stride);
  // With stride 2, the autoencoder pads below and right only.
  const [first, last] = size === 1 ? [0, 0] : [stride === 1 ? 1 : 0, 1];
  return {
    ...{ side, inputs, outputs, size, stride, relu, outSide },
    padding: { top: first, left: first, bottom: last, right: last },
    x: random(side ** 2 * inputs, 1),
    weight: random(size ** 2 * inputs * outputs, 2),
    bias: random(relu ? outputs : 0, 3),
    dy: random(outSide ** 2 * outputs, 4),
  };
}

/** All channels of some pixels of the result. */
export function* convSamples(data: ConvData): Generator<Sample> {
  const { outSide, outputs } = data;
  for (const pixel of picks(outSide ** 2, 16)) {
    for (const [channel, expected] of pixelOf(data, pixel).entries()) yield { at: pixel * outputs + channel, expected };
  }
}

/** One pixel of the result: that of a picture as large as the kernel, cut out with zeros where the whole one ends. */
function pixelOf(
  { side, inputs, outputs, size, stride, relu, padding, outSide, x, weight, bias }: ConvData,
  pixel: number,
) {
  const top = Math.floor(pixel / outSide) * stride - padding.top;
  const left = pixel % outSide * stride - padding.left;
  const patch = new Float32Array(size ** 2 * inputs);
  for (let tap = 0; tap < size ** 2; tap++) {
    const [row, column] = [top + Math.floor(tap / size), left + tap % size];
    if (row < 0 || column < 0 || row >= side || column >= side) continue;
    const start = (row * side + column) * inputs;
    patch.set(x.subarray(start, start + inputs), tap * inputs);
  }
  const sums = convReference(patch, weight, {
    batches: 1,
    height: size,
    width: size,
    channels: inputs,
    outputs,
    size: [size, size],
    stride: 1,
    pad: { top: 0, left: 0 },
    out: [1, 1],
  });
  return relu ? Array.from(sums, (sum, channel) => Math.max(0, sum + bias[channel]!)) : Array.from(sums);
}

export function convGradientSamples(data: ConvData): Record<"dx" | "dw", Iterable<Sample>> {
  return { dx: dataSamples(data), dw: weightSamples(data) };
}

/** That of x is the sum of the gradients of all that it went to, each times the weight on the way. */
function* dataSamples(data: ConvData): Generator<Sample> {
  const { side, inputs, outputs, size, stride, relu, padding, outSide, weight, dy } = data;
  for (const at of picks(side ** 2 * inputs, 12)) {
    const [pixel, input] = [Math.floor(at / inputs), at % inputs];
    let expected = 0;
    for (let tap = 0; tap < size ** 2; tap++) {
      const row = (Math.floor(pixel / side) + padding.top - Math.floor(tap / size)) / stride;
      const column = (pixel % side + padding.left - tap % size) / stride;
      if (![row, column].every((place) => Number.isInteger(place) && place >= 0 && place < outSide)) continue;
      const result = row * outSide + column;
      const y = relu ? pixelOf(data, result) : undefined;
      for (let output = 0; output < outputs; output++) {
        if (y?.[output] === 0) continue;
        expected += dy[result * outputs + output]! * weight[(tap * inputs + input) * outputs + output]!;
      }
    }
    yield { at, expected };
  }
}

/** That of a weight is the sum of all that it was multiplied with, each times the gradient of where it went. */
function* weightSamples({ side, inputs, outputs, size, stride, padding, outSide, x, dy }: ConvData): Generator<Sample> {
  for (const at of picks(size ** 2 * inputs * outputs, 24)) {
    const [tap, input, output] = [Math.floor(at / (inputs * outputs)), Math.floor(at / outputs) % inputs, at % outputs];
    let expected = 0;
    for (let result = 0; result < outSide ** 2; result++) {
      const row = Math.floor(result / outSide) * stride - padding.top + Math.floor(tap / size);
      const column = result % outSide * stride - padding.left + tap % size;
      if (row < 0 || column < 0 || row >= side || column >= side) continue;
      expected += x[(row * side + column) * inputs + input]! * dy[result * outputs + output]!;
    }
    yield { at, expected };
  }
}
