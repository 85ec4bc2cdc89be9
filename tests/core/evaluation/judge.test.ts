import { loadDists, loadLpips, niqe, psnr, type Rgb8, ssim } from "@fluxsr/core";
import { afterAll, describe, expect, test } from "vitest";
import { Judge } from "../../../packages/core/evaluation/judge.ts";
import { colorDifference } from "../../../packages/core/metrics/color_difference.ts";
import { gridRatio } from "../../../packages/core/metrics/grid.ts";
import { gpu } from "../../helpers/gpu.ts";
import * as reference from "../../reference/perceptual.ts";
import { goldenPicture, painted, part } from "../metrics/_picture.ts";
import { narrowWeights, WIDTHS } from "../perceptual/_narrow.ts";

const lpips = await loadLpips(gpu, { widths: WIDTHS });
const dists = await loadDists(gpu, { widths: WIDTHS });
const networks = { gpu, lpips, dists };
afterAll(() => [lpips, dists].forEach((network) => network.dispose()));

/** A judge of pictures that should be `truth`, and are made of it itself. */
const judgeOf = (truth: Rgb8, { cropBorder = 0, by = networks } = {}) =>
  Judge.of({ low: truth, truth }, { networks: by, cropBorder });

/** f32 on the GPU against f64. */
const TOLERANCE = 2e-5;

/** `picture` with a grid on it, brighter by `step` in red. */
function changed({ width, height, rgb }: Rgb8, step: number): Rgb8 {
  return painted(width, height, (x, y, channel) => {
    return rgb[(y * width + x) * 3 + channel]! * 0.9 + (x % 16 === 0 ? 6 : 0) + (channel === 0 ? step : 0);
  });
}

describe("Judge", () => {
  test("has the figures of what is inside of the border", async () => {
    const whole = part(await goldenPicture("niqe0.png"), { x: 20, y: 30, width: 203, height: 107 });
    const image = changed(whole, 9);
    const inner = { x: 3, y: 3, width: 197, height: 101 };
    const [truth, inside] = [part(whole, inner), part(image, inner)];
    using judge = await Judge.of({ low: painted(5, 4, () => 100), truth: whole }, { networks, cropBorder: 3 });
    const figures = await judge.figures(image);

    const options = { luma: true, cropBorder: 0 };
    expect(figures.psnr_y).toBe(psnr(truth, inside, options));
    expect(figures.ssim_y).toBe(ssim(truth, inside, options));
    expect(figures.niqe).toBe(await niqe(inside, options));
    expect(figures.niqe_distance).toBe(Math.abs(figures.niqe - await niqe(truth, options)));
    expect(judge.truth).toMatchObject({ niqe: await niqe(truth, options), psnr_y: NaN, grid: NaN });
    expect(figures.grid).toBe(gridRatio(truth, inside, options));
    expect(figures.color).toBe(colorDifference(truth, inside));
    expect(figures.color_low).toBe(colorDifference(painted(1, 1, () => 100), image));
  });

  test("has the distances of networks of plain loops, for one picture after the other", async () => {
    const truth = part(await goldenPicture("niqe1.png"), { x: 0, y: 0, width: 21, height: 19 });
    const weights = await narrowWeights();
    const even = new Float32Array(WIDTHS.reduce((sum, width) => sum + width, 3)).fill(1);
    const values = ({ rgb }: Rgb8) => Float64Array.from(rgb, (value) => value / 127.5 - 1);
    using judge = await judgeOf(truth);
    for (const image of [changed(truth, 3), changed(truth, 20)]) {
      const figures = await judge.figures(image);
      const shape = [1, 19, 21, 3];
      const images = [values(image), values(truth)] as const;
      const [wantedLpips] = reference.lpips(images, { shape, weights });
      const [wantedDists] = reference.dists(images, { shape, weights, alpha: even, beta: even });
      expect(Math.abs(figures.lpips - wantedLpips!)).toBeLessThan(TOLERANCE);
      expect(Math.abs(figures.dists - wantedDists!)).toBeLessThan(TOLERANCE);
      expect(wantedLpips).toBeGreaterThan(10 * TOLERANCE);
      expect(wantedDists).toBeGreaterThan(10 * TOLERANCE);
      // Too small for blocks of 96 x 96.
      expect(figures).toMatchObject({ niqe: NaN, niqe_distance: NaN, grid: NaN });
    }
  });

  test("finds nothing wrong with the ground truth itself, and frees its features", async () => {
    const truth = part(await goldenPicture("niqe1.png"), { x: 0, y: 0, width: 97, height: 96 });
    const before = gpu.memory.live;
    {
      using judge = await judgeOf(truth);
      expect(await judge.figures(truth)).toEqual({
        psnr_y: Infinity,
        ssim_y: expect.closeTo(1, 12),
        lpips: 0,
        dists: expect.closeTo(0, 6),
        niqe: NaN,
        niqe_distance: NaN,
        grid: 1,
        color: 0,
        color_low: 0,
      });
    }
    expect(gpu.memory.live).toBe(before);
  });

  test("leaves out what is too small, or too large for a buffer", async () => {
    const tiny = painted(10, 40, (x) => x);
    using judge = await judgeOf(tiny);
    expect(await judge.figures(tiny)).toMatchObject({ ssim_y: NaN, lpips: NaN, dists: NaN, psnr_y: Infinity });
    const limits = { maxStorageBufferBindingSize: 20 * 20 * WIDTHS[0]! * 4 - 1 };
    const small = { ...networks, gpu: { device: { limits } } as unknown as typeof gpu };
    using other = await judgeOf(painted(20, 20, (x) => x), { by: small });
    expect(await other.figures(painted(20, 20, (x) => x))).toMatchObject({ lpips: NaN, dists: NaN });
  });

  test("refuses a border that leaves nothing, and pictures of another size", async () => {
    const picture = painted(20, 16, () => 0);
    await expect(judgeOf(picture, { cropBorder: 8 })).rejects.toThrow(
      "a border of 8 must leave something: it is 20 x 16",
    );
    using judge = await judgeOf(picture, { cropBorder: 2 });
    await expect(judge.figures(painted(16, 20, () => 0))).rejects.toThrow("sizes must match: 16 x 12 and 12 x 16");
  });
});
