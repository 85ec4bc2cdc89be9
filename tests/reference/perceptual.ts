import { convReference } from "./conv2d.ts";
import { elementAt, indexOf, maxPool, permute } from "./layout.ts";

type Values = ArrayLike<number>;

/** `|x[i + 1, j] - x[i, j]| + |x[i, j + 1] - x[i, j]|` of [B, h, w, C], without the differences beyond the edges. */
export function totalVariation(x: Values, shape: readonly number[]): number[] {
  return Array.from({ length: x.length }, (_, i) => {
    const index = indexOf(i, shape);
    const distance = (axis: number) => {
      const next = index.with(axis, index[axis]! + 1);
      return next[axis]! < shape[axis]! ? Math.abs(x[elementAt(next, shape)]! - x[i]!) : 0;
    };
    return distance(1) + distance(2);
  });
}

/** `f, g [B, h, w, C], weight [C] -> [B]`: the weighted squared distance of unit vectors, the mean over positions. */
export function featureDistance(
  [f, g, weight]: readonly [Values, Values, Values],
  [batches, height, width, channels]: readonly number[],
): number[] {
  const positions = height! * width!;
  const unit = (values: Values, position: number) => {
    const row = Array.from({ length: channels! }, (_, c) => values[position * channels! + c]!);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    return row.map((value) => value / (length + 1e-10));
  };
  const result = Array<number>(batches!).fill(0);
  for (let position = 0; position < batches! * positions; position++) {
    const [u, v] = [unit(f, position), unit(g, position)];
    for (let c = 0; c < channels!; c++) {
      result[Math.floor(position / positions)]! += weight[c]! * (u[c]! - v[c]!) ** 2 / positions;
    }
  }
  return result;
}

/** A tensor on the host. */
interface Plain {
  readonly shape: readonly number[];
  readonly values: Values;
}

/** Numbers of the convolutions of each block of VGG16 in torchvision. */
const BLOCKS = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]];

/** What each block of VGG16 ends with, before pooling; `x` is [B, h, w, 3], weights are [out, in, 3, 3]. */
export function vgg16Taps(x: Plain, weights: ReadonlyMap<string, Plain>, pool = maxPooled): Plain[] {
  const taps: Plain[] = [];
  for (const [i, block] of BLOCKS.entries()) {
    let h = i === 0 ? x : pool(taps.at(-1)!);
    for (const layer of block) {
      const convolution = [`features.${layer}.weight`, `features.${layer}.bias`].map((name) => weights.get(name)!);
      h = convolved(h, convolution[0]!, convolution[1]!.values);
    }
    taps.push(h);
  }
  return taps;
}

function maxPooled({ shape, values }: Plain): Plain {
  const [batches, height, width, channels] = shape;
  return {
    shape: [batches!, Math.floor(height! / 2), Math.floor(width! / 2), channels!],
    values: maxPool(values, shape),
  };
}

/** `sqrt(sum g x^2 + 1e-12)` around every second pixel, g the Hann window [1, 2, 1] / 4 on both axes, x 0 outside. */
export function l2Pooled({ shape, values }: Plain): Plain {
  const [batches = 0, height = 0, width = 0, channels = 0] = shape;
  const small = [batches, Math.ceil(height / 2), Math.ceil(width / 2), channels];
  const y = Array.from({ length: small.reduce((a, b) => a * b) }, (_, i) => {
    const [batch = 0, row = 0, column = 0, channel = 0] = indexOf(i, small);
    let sum = 0;
    for (const [u, across] of [1, 2, 1].entries()) {
      for (const [v, down] of [1, 2, 1].entries()) {
        const [line, at] = [2 * row + u - 1, 2 * column + v - 1];
        const isInside = line >= 0 && line < height && at >= 0 && at < width;
        if (isInside) sum += across * down / 16 * values[elementAt([batch, line, at, channel], shape)]! ** 2;
      }
    }
    return Math.sqrt(sum + 1e-12);
  });
  return { shape: small, values: y };
}

function convolved({ shape, values }: Plain, weight: Plain, bias: Values): Plain {
  const [batches = 0, height = 0, width = 0, channels = 0] = shape;
  const outputs = weight.shape[0] ?? 0;
  const y = convReference(values, permute(weight.values, { shape: weight.shape, axes: [2, 3, 1, 0] }), {
    batches,
    height,
    width,
    channels,
    outputs,
    size: [3, 3],
    stride: 1,
    pad: { top: 1, left: 1 },
    out: [height, width],
  });
  return {
    shape: [batches, height, width, outputs],
    values: y.map((value, i) => Math.max(value + bias[i % outputs]!, 0)),
  };
}

/** Less ImageNet's mean, by its deviation; pictures are in [-1, 1]. */
function standardised(image: Values): Float64Array {
  const [shift, scale] = [[-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]];
  return Float64Array.from(image, (value, i) => (value - shift[i % 3]!) / scale[i % 3]!);
}

/** LPIPS of pairs of pictures [B, h, w, 3]; the heads are `lin0` to `lin4`. */
export function lpips(
  [first, second]: readonly [Values, Values],
  { shape, weights }: { shape: readonly number[]; weights: ReadonlyMap<string, Plain> },
): number[] {
  const taps = [first, second].map((image) => vgg16Taps({ shape, values: standardised(image) }, weights));
  return taps[0]!.reduce<number[]>((sums, { values, shape }, k) => {
    const parts = featureDistance([values, taps[1]![k]!.values, weights.get(`lin${k}`)!.values], shape);
    return parts.map((part, b) => part + (sums[b] ?? 0));
  }, []);
}

/** DISTS of pairs of pictures [B, h, w, 3]; `alpha` and `beta` weigh all channels, those of the pictures first. */
export function dists(
  [first, second]: readonly [Values, Values],
  { shape, weights, alpha, beta }: {
    shape: readonly number[];
    weights: ReadonlyMap<string, Plain>;
    alpha: Values;
    beta: Values;
  },
): number[] {
  const features = [first, second].map((image): Plain[] => [
    { shape, values: Float64Array.from(image, (value) => (value + 1) / 2) },
    ...vgg16Taps({ shape, values: standardised(image) }, weights, l2Pooled),
  ]);
  return Array.from({ length: shape[0]! }, (_, b) => {
    let [similarity, total, at] = [0, 0, 0];
    for (const [k, f] of features[0]!.entries()) {
      for (let c = 0; c < f.shape[3]!; c++, at++) {
        const [x, y] = [f, features[1]![k]!].map((plain) => channelOf(plain, { b, c }));
        const [meanX, meanY] = [meanOf(x!), meanOf(y!)];
        const product = (p: number[], q: number[]) =>
          meanOf(p.map((value, i) => value * q[i]!)) - meanOf(p) * meanOf(q);
        const texture = (2 * meanX * meanY + 1e-6) / (meanX ** 2 + meanY ** 2 + 1e-6);
        const structure = (2 * product(x!, y!) + 1e-6) / (product(x!, x!) + product(y!, y!) + 1e-6);
        similarity += alpha[at]! * texture + beta[at]! * structure;
        total += alpha[at]! + beta[at]!;
      }
    }
    return 1 - similarity / total;
  });
}

function channelOf({ shape, values }: Plain, { b, c }: { b: number; c: number }): number[] {
  const [, height = 0, width = 0] = shape;
  return Array.from(
    { length: height * width },
    (_, i) => values[elementAt([b, Math.floor(i / width), i % width, c], shape)]!,
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
