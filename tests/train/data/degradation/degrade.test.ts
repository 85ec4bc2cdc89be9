import { quantize, read, type Tensor, tensor } from "@fluxsr/kernels";
import { describe, expect, test, vi } from "vitest";
import { applyDegradation, degrade } from "../../../../packages/train/data/degradation/degrade.ts";
import type { Degradation, Stage } from "../../../../packages/train/data/degradation/draw.ts";
import { compressJpeg } from "../../../../packages/train/data/degradation/jpeg.ts";
import { parseDegradation } from "../../../../packages/train/data/degradation/parameters.ts";
import { randomOf } from "../../../../packages/train/random.ts";
import { gpu } from "../../../helpers/gpu.ts";
import { area, resample } from "../../../reference/degradation.ts";

const parameters = parseDegradation({});

/** A smooth gray picture, which JPEG keeps well. */
function smooth(height: number, width: number): { values: Float32Array<ArrayBuffer>; hr: Tensor } {
  const values = Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    return 0.5 + 0.2 * Math.sin(row / 9) + 0.2 * Math.cos(column / 11);
  });
  return { values, hr: tensor(gpu, values, [1, height, width, 3]) };
}

/** A round that changes nothing that can be seen. */
const NOTHING: Stage = {
  blur: undefined,
  resize: { mode: "area", factor: 1 },
  noise: { type: "gaussian", gray: false, seed: 1, sigma: 0 },
  jpeg: 100,
};
const PLAIN: Degradation = { sharpen: null, stages: [NOTHING], mode: "area", sinc: undefined, isJpegLast: false };

async function sample(hr: Tensor, seed: number): Promise<Float32Array> {
  using lr = await degrade(hr, { parameters, scale: 4, random: randomOf(seed, "degradation") });
  const [values] = await read(lr);
  return values!;
}

describe("degrade()", () => {
  test.each([[64, 64, 4], [37, 53, 4], [31, 80, 3], [45, 33, 1]])(
    "makes %i x %i pixels %i times smaller, in steps of 8 bits from 0 to 1",
    async (height, width, scale) => {
      const { hr } = smooth(height, width);
      for (let seed = 0; seed < 6; seed++) {
        using lr = await degrade(hr, { parameters, scale, random: randomOf(seed) });
        expect(lr.shape).toEqual([1, Math.floor(height / scale), Math.floor(width / scale), 3]);
        const [values] = await read(lr);
        for (const value of values!) {
          expect(Math.abs(255 * value - Math.round(255 * value))).toBeLessThan(1e-4);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }
    },
  );

  test("repeats from its seed", async () => {
    const { hr } = smooth(48, 40);
    expect(await sample(hr, 1)).toEqual(await sample(hr, 1));
    expect(await sample(hr, 2)).not.toEqual(await sample(hr, 1));
  });

  test("leaves nothing on the GPU, also where nothing is left of a picture", async () => {
    const { hr } = smooth(40, 40);
    const live = gpu.memory.live;
    for (let seed = 0; seed < 4; seed++) await sample(hr, seed);
    await expect(degrade(hr, { parameters, scale: 41, random: randomOf(1) })).rejects.toThrow("height");
    expect(gpu.memory.live).toBe(live);
  });
});

describe("applyDegradation()", () => {
  test.each([[1, false], [1, true], [2, false], [2, true]])(
    "of %i rounds that change nothing, JPEG last: %s, is a plain reduction in place",
    async (rounds, isJpegLast) => {
      const [height, width] = [45, 62];
      const { values, hr } = smooth(height, width);
      // The second round aims at a part of the final size: 4 times it is larger than the picture.
      const second = { ...NOTHING, resize: { mode: "bilinear" as const, factor: 4 } };
      const degradation = { ...PLAIN, stages: [NOTHING, second].slice(0, rounds), isJpegLast };
      using lr = await applyDegradation(hr, { degradation, scale: 4 });
      const [actual] = await read(lr);
      const [rows, columns] = [area({ size: height, result: 11 }), area({ size: width, result: 15 })];
      const shape = [1, height, width, 3] as const;
      const expected = resample(values, { shape, height: 11, width: 15, rows, columns });
      // Four levels: rounding in JPEG and in the end, and bilinear resizing. A pixel aside it would be 20.
      actual!.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(4 / 255));
    },
  );

  test("runs the steps in order", async () => {
    const { hr } = smooth(40, 48);
    const stage: Stage = {
      ...NOTHING,
      blur: { type: "iso", size: 3, sigma_x: 1 },
      noise: { ...NOTHING.noise, type: "poisson", scale: 1 },
    };
    const degradation: Degradation = {
      sharpen: { size: 5, sigma: 1, weight: 0.5, threshold: 10 },
      stages: [stage, { ...stage, blur: undefined, noise: NOTHING.noise }],
      mode: "bilinear",
      sinc: { type: "sinc", size: 7, cutoff: 2 },
      isJpegLast: false,
    };
    const stepsOf = async (degradation: Degradation) => {
      const runs = vi.spyOn(gpu, "run");
      const reads = vi.spyOn(gpu, "read");
      (await applyDegradation(hr, { degradation, scale: 4 })).dispose();
      const order = [
        ...runs.mock.calls.map(([kernel], i) => [runs.mock.invocationCallOrder[i]!, kernel.name] as const),
        ...reads.mock.invocationCallOrder.map((at) => [at, "jpeg"] as const),
      ];
      runs.mockRestore();
      reads.mockRestore();
      const told = [
        "filter2d",
        "interpolate",
        "poisson_noise",
        "noise.normal",
        "jpeg",
        "steps.exceeds",
        "steps.quantize",
      ];
      return order.sort(([a], [b]) => a - b).flatMap(([, name]) => told.includes(name) ? [name] : []);
    };
    const start = [
      ...["filter2d", "filter2d", "steps.exceeds", "filter2d", "filter2d"],
      ...["filter2d", "interpolate", "poisson_noise", "jpeg", "interpolate", "noise.normal"],
    ];
    const [fit, end] = [["interpolate", "filter2d"], ["steps.quantize"]];
    expect(await stepsOf(degradation)).toEqual([...start, "jpeg", ...fit, ...end]);
    expect(await stepsOf({ ...degradation, isJpegLast: true })).toEqual([...start, ...fit, "jpeg", ...end]);
  });
});

describe("compressJpeg()", () => {
  const error = async (x: Tensor, quality: number) => {
    using y = await compressJpeg(x, { quality });
    const [before, after] = await read(quantize(x), y);
    return before!.reduce((sum, value, i) => sum + Math.abs(value - after![i]!), 0) / before!.length;
  };

  test("loses more the lower the quality is", async () => {
    const { hr } = smooth(33, 47);
    const errors = [await error(hr, 100), await error(hr, 50), await error(hr, 5)];
    expect(errors[0]).toBeLessThan(0.01);
    expect(errors[1]).toBeGreaterThan(errors[0]!);
    expect(errors[2]).toBeGreaterThan(2 * errors[1]!);
  });

  test("halves the resolution of colours, and clamps", async () => {
    const columns = (even: number[], odd: number[]) => {
      const pixels = Array.from({ length: 16 * 16 }, (_, i) => i % 2 ? odd : even);
      return tensor(gpu, Float32Array.from(pixels.flat()), [1, 16, 16, 3]);
    };
    // Red and green of the same luma become one colour; black and white stay apart.
    const [colours, grays] = await read(
      await compressJpeg(columns([1, 0, 0], [0, 0.509, 0]), { quality: 100 }),
      await compressJpeg(columns([-1, -1, -1], [2, 2, 2]), { quality: 100 }),
    );
    expect(Math.abs(colours![0]! - colours![3]!)).toBeLessThan(0.2);
    expect(Math.abs(grays![0]! - grays![3]!)).toBeGreaterThan(0.95);
  });
});
