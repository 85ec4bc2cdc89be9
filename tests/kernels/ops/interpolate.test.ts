import { interpolate, type InterpolationMode } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/degradation.ts";

const AXES = {
  area: reference.area,
  bilinear: reference.bilinear,
  bicubic: reference.bicubic,
} satisfies Record<InterpolationMode, unknown>;
const MODES = Object.keys(AXES) as InterpolationMode[];

/** From and to one pixel, the same size, up and down, one axis each way. */
const SIZES = [
  { shape: [1, 1, 1, 1], height: 1, width: 1 },
  { shape: [2, 1, 1, 3], height: 5, width: 2 },
  { shape: [1, 7, 5, 3], height: 1, width: 1 },
  { shape: [1, 5, 6, 2], height: 5, width: 6 },
  { shape: [2, 5, 7, 3], height: 20, width: 28 },
  { shape: [1, 31, 37, 3], height: 11, width: 13 },
  { shape: [2, 9, 31, 1], height: 32, width: 10 },
] as const;

const FACTORS = [
  { shape: [2, 7, 13, 3], factor: 0.43 },
  { shape: [1, 40, 56, 3], factor: 1.37 },
  { shape: [1, 11, 9, 1], factor: 1 },
  { shape: [1, 61, 67, 3], factor: 0.15 },
] as const;

describe.each(MODES)("interpolate() %s", (mode) => {
  test.each(SIZES)("from $shape to $height x $width matches the reference", async ({ shape, height, width }) => {
    const x = randomTensor(shape);
    const axis = (size: number, result: number) => AXES[mode]({ size, result, step: size / result });
    const [rows, columns] = [axis(shape[1], height), axis(shape[2], width)];
    const y = interpolate(x.tensor, { mode, height, width });
    expect(y.shape).toEqual([shape[0], height, width, shape[3]]);
    await expectClose(y, reference.resample(x.data, { shape, height, width, rows, columns }));
  });

  test.each(FACTORS)("of $shape times $factor keeps the factor as its step", async ({ shape, factor }) => {
    const x = randomTensor(shape);
    const [height, width] = [Math.floor(shape[1] * factor), Math.floor(shape[2] * factor)];
    const axis = (size: number, result: number) => AXES[mode]({ size, result, step: 1 / factor });
    const [rows, columns] = [axis(shape[1], height), axis(shape[2], width)];
    const y = interpolate(x.tensor, { mode, factor });
    expect(y.shape).toEqual([shape[0], height, width, shape[3]]);
    await expectClose(y, reference.resample(x.data, { shape, height, width, rows, columns }));
  });

  test("keeps a picture of the same size, and one colour at any", async () => {
    const x = randomTensor([1, 6, 5, 2]);
    await expectClose(interpolate(x.tensor, { mode, height: 6, width: 5 }), x.data, 1e-7);
    const flat = randomTensor([1, 1, 1, 3]);
    const colours = Array.from({ length: 7 * 9 }, () => [...flat.data]).flat();
    await expectClose(interpolate(flat.tensor, { mode, height: 7, width: 9 }), colours, 1e-6);
  });
});

test("interpolate() refuses sizes below 1", () => {
  const x = randomTensor([1, 5, 8, 1]).tensor;
  expect(() => interpolate(x, { mode: "area", factor: 0.15 })).toThrow(
    'Cannot run "interpolate": sizes must be whole numbers from 1 on: height 5 becomes 0',
  );
  expect(() => interpolate(x, { mode: "area", height: 2.5, width: 1 })).toThrow("height 5 becomes 2.5");
});
