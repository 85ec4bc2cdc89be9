import {
  bicubicResize,
  bicubicSource,
  gradients,
  read,
  type ResizeOptions,
  Tape,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/picture.ts";

/** To one pixel, the same size, up and down, by whole and odd ratios, one axis each way, groups of four channels. */
const CASES = [
  { shape: [1, 1, 1, 1], height: 1, width: 1 },
  { shape: [2, 1, 1, 3], height: 5, width: 2 },
  { shape: [1, 7, 5, 3], height: 1, width: 1 },
  { shape: [1, 5, 6, 2], height: 5, width: 6 },
  { shape: [2, 5, 7, 3], height: 20, width: 28 },
  { shape: [1, 13, 8, 4], height: 31, width: 65 },
  { shape: [1, 24, 36, 3], height: 6, width: 9 },
  { shape: [2, 31, 37, 1], height: 11, width: 13 },
  { shape: [1, 9, 31, 3], height: 32, width: 10 },
] as const;

test.each(CASES)("bicubicResize() matches the reference from $shape to $height x $width", async (options) => {
  const { shape, height, width } = options;
  const x = randomTensor(shape);
  const window = { top: 0, left: 0, height, width };
  const y = bicubicResize(x.tensor, { height, width });
  expect(y.shape).toEqual([shape[0], height, width, shape[3]]);
  await expectClose(y, reference.bicubicResize(x.data, { shape, height, width, window }));
});

test.each([
  ...CASES,
  { shape: [1, 13, 17, 3] as const, height: 29, width: 40, window: { top: 17, left: 0, height: 12, width: 33 } },
  { shape: [2, 23, 17, 4] as const, height: 5, width: 7, window: { top: 1, left: 3, height: 2, width: 1 } },
])("bicubicResize() has the gradient of central differences from $shape to $height x $width", async (options) => {
  const { shape, height, width } = options;
  const window = "window" in options ? options.window : { top: 0, left: 0, height, width };
  const kernels = await expectGradients({ x: shape }, {
    op: ({ x }) => bicubicResize(x!, { height, width, window }),
    reference: ({ x }) => reference.bicubicResize(x!, { shape, height, width, window }),
  });
  expect(kernels["x"]!.filter((name) => name === "bicubic_resize.backward").length).toBe(2);
});

test("bicubicResize() of a crop has the gradient of that part of the whole", async () => {
  const options = { height: 29, width: 40, window: { top: 17, left: 20, height: 8, width: 9 } };
  const [h, w] = [13, 17] as const;
  const part = bicubicSource({ height: h, width: w }, options);
  // A crop with a border that no result reads.
  const crop = { top: part.top - 1, left: part.left - 2, height: part.height + 1, width: part.width + 3 };
  await expectGradients({ x: [1, crop.height, crop.width, 3] }, {
    op: ({ x }) => bicubicResize(x!, { ...options, crop: { top: crop.top, left: crop.left, height: h, width: w } }),
    reference: ({ x }) => {
      const whole = new Float64Array(h * w * 3);
      for (let row = 0; row < crop.height; row++) {
        for (let i = 0; i < crop.width * 3; i++) {
          whole[((crop.top + row) * w + crop.left) * 3 + i] = x![row * crop.width * 3 + i]!;
        }
      }
      return reference.bicubicResize(whole, { ...options, shape: [1, h, w, 3] });
    },
  });
});

test("bicubicResize() refuses a gradient through mirrored edges", () => {
  const x = randomTensor([1, 3, 4, 1]).tensor;
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = bicubicResize(x, { height: 6, width: 8, window: { top: -1, left: 0, height: 6, width: 8 } });
  expect(() => gradients(tape, y, { seed: y, wanted: [x] })).toThrow("the window must lie within the result");
});

/** `Image.fromarray(x, "F").resize((width, height), Image.BICUBIC)` of Pillow 13.0.0; x is (7 i mod 11) / 4 - 1. */
// deno-fmt-ignore
const PILLOW = [
  { from: [3, 4], to: [6, 5], values: [
    -1.218573, 0.389585, 0.238971, 0.088356, 1.696514, -0.73849, 0.181926, 0.267222, 0.376946, 1.343285,
    0.27892, -0.258291, 0.326932, 0.988797, 0.595668, 0.351439, -0.185772, 0.449308, 0.837432, -0.16404,
    -0.53046, 0.389955, 0.618271, -0.057264, -0.836021, -0.946514, 0.661644, 0.69807, -0.479499, -1.153563,
  ] },
  { from: [8, 7], to: [3, 2], values: [0.207227, 0.234823, 0.272543, 0.208428, 0.255697, 0.225816] },
] as const;

/** Half of the last decimal that is given, relative to the smallest picture's largest value. */
const SIX_DECIMALS = 2e-6;

test.each(PILLOW)("bicubicResize() gives the values of Pillow from $from to $to", async ({ from, to, values }) => {
  const [h, w] = from;
  const [height, width] = to;
  const data = Float32Array.from({ length: h * w }, (_, i) => (7 * i % 11) / 4 - 1);
  await expectClose(bicubicResize(tensor(gpu, data, [1, h, w, 1]), { height, width }), values, SIX_DECIMALS);
});

const WINDOWS = [
  { name: "inside", window: { top: 3, left: 5, height: 4, width: 7 } },
  { name: "beyond all edges", window: { top: -5, left: -3, height: 40, width: 36 } },
  { name: "far beyond the edges", window: { top: -90, left: 70, height: 11, width: 13 } },
];

describe.each(
  [
    { shape: [2, 5, 7, 3], height: 20, width: 28 },
    { shape: [1, 31, 37, 4], height: 11, width: 13 },
    { shape: [1, 3, 1, 1], height: 1, width: 3 },
  ] as const,
)("bicubicResize() from $shape to $height x $width", ({ shape, height, width }) => {
  const x = randomTensor(shape);
  test.each(WINDOWS)("mirrors a window $name", async ({ window }) => {
    await expectClose(
      bicubicResize(x.tensor, { height, width, window }),
      reference.bicubicResize(x.data, { shape, height, width, window }),
    );
  });
});

/** The pixels of `x` [h, w, C] in a rectangle. */
function cut(
  x: Float32Array,
  shape: readonly [number, number, number],
  part: ReturnType<typeof bicubicSource>,
): Tensor {
  const [, width, channels] = shape;
  const data: number[] = [];
  for (let row = part.top; row < part.top + part.height; row++) {
    const at = (row * width + part.left) * channels;
    data.push(...x.subarray(at, at + part.width * channels));
  }
  return tensor(gpu, new Float32Array(data), [1, part.height, part.width, channels]);
}

test.each([
  { height: 52, width: 68, window: { top: 8, left: 20, height: 16, width: 24 } },
  { height: 29, width: 40, window: { top: 17, left: 30, height: 16, width: 16 } },
  { height: 5, width: 7, window: { top: 3, left: -1, height: 2, width: 3 } },
  { height: 13, width: 17, window: { top: 4, left: 5, height: 3, width: 2 } },
])("bicubicResize() of a crop is the same bits as that part of the whole: %j", async (options) => {
  const [height, width, channels] = [13, 17, 3] as const;
  const x = randomTensor([1, height, width, channels]);
  const part = bicubicSource({ height, width }, options);
  expect(part.height * part.width).toBeLessThanOrEqual(height * width);
  const crop = { top: part.top, left: part.left, height, width };
  const [of, whole] = await read(
    bicubicResize(cut(x.data, [height, width, channels], part), { ...options, crop }),
    bicubicResize(x.tensor, { height: options.height, width: options.width }),
  );
  const at = (row: number, column: number) => {
    const i = reference.mirror(options.window.top + row, options.height);
    const j = reference.mirror(options.window.left + column, options.width);
    return whole!.slice((i * options.width + j) * channels, (i * options.width + j + 1) * channels);
  };
  const expected = [];
  for (let row = 0; row < options.window.height; row++) {
    for (let column = 0; column < options.window.width; column++) expected.push(...at(row, column));
  }
  expect([...of!]).toEqual(expected);
});

test.each([[4096, 16384], [16384, 4001], [5003, 16384], [60000, 240000], [60000, 40000]])(
  "bicubicResize() keeps its precision from %i to %i columns",
  async (size, result) => {
    const x = randomTensor([1, 1, size, 1]);
    const options: ResizeOptions = {
      height: 1,
      width: result,
      window: { top: 0, left: result - 40, height: 1, width: 40 },
    };
    await expectClose(
      bicubicResize(x.tensor, options),
      reference.bicubicResize(x.data, { ...options, shape: [1, 1, size, 1], window: options.window! }),
      1e-6,
    );
  },
);

test("bicubicResize() refuses bad sizes and a crop that is too small", () => {
  const x = randomTensor([1, 4, 4, 1]).tensor;
  expect(() => bicubicResize(x, { height: 0, width: 4 })).toThrow("sizes must be positive whole numbers");
  expect(() => bicubicResize(x, { height: 4.5, width: 4 })).toThrow("sizes must be positive whole numbers");
  expect(() => bicubicSource({ height: 65537, width: 1 }, { height: 65521, width: 1 })).toThrow(
    "whose least common multiple is below 2^31: 65537 samples to 65521",
  );
  expect(() => bicubicResize(x, { height: 16, width: 16, crop: { top: 2, left: 0, height: 8, width: 4 } })).toThrow(
    "the crop must cover [8, 4] from [0, 0]: it is [4, 4] from [2, 0]",
  );
  expect(() => bicubicResize(randomTensor([4, 4]).tensor, { height: 1, width: 1 })).toThrow("x must be [B, h, w, C]");
});
