import { type Gpu, groupNorm, tensor } from "@fluxsr/kernels";
import { backwardWork } from "../backward_work.ts";
import { type Case, ofResults, type Row, type Sample, type Work } from "../case.ts";
import { picks, random } from "../random.ts";
import type { GroupNormShape } from "../shapes/pictures.ts";

/** Group norm with SiLU after it unless it is plain, and the gradient of its result: `x, dy [side, side, channels], weight, bias [channels]`. */
export interface GroupNormData extends GroupNormShape {
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

/** What the variance is added to: that of FLUX's autoencoder. */
export const EPS = 1e-6;

export function groupNormData({ side, channels, groups, plain = false }: GroupNormShape): GroupNormData {
  const size = side ** 2 * channels;
  const [x, weight, bias, dy] = [random(size, 1), random(channels, 2), random(channels, 3), random(size, 4)];
  return { side, channels, groups, plain, x, weight, bias, dy };
}

/**
 * The gradients of x, weight and bias in the first and the last group. With `z = w n + b`, `n` the normalised x, and
 * `g = dy silu'(z)`, or dy: `dw = sum g n`, `db = sum g`, `dx = (w g - mean(w g) - n mean(w g n)) / deviation`, means over the
 * group.
 */
export function groupNormGradientSamples(data: GroupNormData): Generator<Sample> {
  const own = [0, data.groups - 1].map((group) => samplesOfGroup(data, group));
  return ofResults([0, 1, 2].map((result) => own.flatMap((samples) => samples[result]!)));
}

function samplesOfGroup(
  { side, channels, groups, plain, x, weight, bias, dy }: GroupNormData,
  group: number,
): Sample[][] {
  const [pixels, width] = [side ** 2, channels / groups];
  const index = (pixel: number, c: number) => pixel * channels + group * width + c;
  const each = (visit: (at: number, channel: number) => void) => {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let c = 0; c < width; c++) visit(index(pixel, c), group * width + c);
    }
  };
  const count = pixels * width;
  let [sum, squares] = [0, 0];
  each((at) => sum += x[at]!);
  each((at) => squares += (x[at]! - sum / count) ** 2);
  const deviation = Math.sqrt(squares / count + EPS);
  const normal = (at: number) => (x[at]! - sum / count) / deviation;
  const gradient = (at: number, channel: number) => {
    if (plain) return dy[at]!;
    const z = weight[channel]! * normal(at) + bias[channel]!;
    const sigmoid = 1 / (1 + Math.exp(-z));
    return dy[at]! * sigmoid * (1 + z * (1 - sigmoid));
  };
  const [dw, db] = [new Map<number, number>(), new Map<number, number>()];
  let [mean, meanNormal] = [0, 0];
  each((at, channel) => {
    const [g, n] = [gradient(at, channel), normal(at)];
    dw.set(channel, (dw.get(channel) ?? 0) + g * n);
    db.set(channel, (db.get(channel) ?? 0) + g);
    mean += weight[channel]! * g / count;
    meanNormal += weight[channel]! * g * n / count;
  });
  const dx = picks(pixels, 16).flatMap((pixel) =>
    Array.from({ length: width }, (_, c) => {
      const [at, channel] = [index(pixel, c), group * width + c];
      const expected = (weight[channel]! * gradient(at, channel) - mean - normal(at) * meanNormal) / deviation;
      return { at, expected };
    })
  );
  const samples = (sums: Map<number, number>) => Array.from(sums, ([at, expected]) => ({ at, expected }));
  return [dx, samples(dw), samples(db)];
}

/** The backward pass of group norm, and SiLU: of x, weight and bias at once. */
export function groupNormBackwardCase(row: Row<GroupNormShape>): Case {
  const { name, origin, side, channels, groups, plain = false } = row;
  return {
    name: `group_norm${plain ? "" : "_silu"}_backward/${name}`,
    shape: `${side}^2 x ${channels}, ${groups} groups`,
    origin,
    // x and dy are read twice: no gradient of x before all of a group was seen.
    bytes: 4 * (5 * side ** 2 + 4) * channels,
    open: (gpu) => open(gpu, row),
  };
}

function open(gpu: Gpu, shape: GroupNormShape): Work {
  const { side, channels, groups, plain = false } = shape;
  const data = groupNormData(shape);
  const upload = (values: Float32Array<ArrayBuffer>) => tensor(gpu, values, [1, side, side, channels]);
  const [x, dy] = [upload(data.x), upload(data.dy)];
  const [weight, bias] = [tensor(gpu, data.weight, [channels]), tensor(gpu, data.bias, [channels])];
  const forward = () => groupNorm(x, { groups, weight, bias, silu: !plain, eps: EPS });
  return {
    ...backwardWork({ wanted: [x, weight, bias], dys: [dy] }, forward),
    samples: () => groupNormGradientSamples(data),
  };
}
