import { expect, test } from "vitest";
import { luma } from "../../../packages/core/metrics/luma.ts";
import type { Rgb8 } from "../../../packages/core/image/rgb8.ts";
import { psnr } from "../../../packages/core/metrics/psnr.ts";
import { ssim } from "../../../packages/core/metrics/ssim.ts";
import { goldenPicture, painted } from "./_picture.ts";

const GOLDEN = new URL("../../golden/metrics/", import.meta.url).pathname;
const { config, tolerances } = JSON.parse(await Deno.readTextFile(`${GOLDEN}case.json`));

for (const pair of config.pairs) {
  test(`psnr() and ssim() equal BasicSR on ${pair.image}`, async () => {
    const [reference, image] = [await goldenPicture(pair.reference), await goldenPicture(pair.image)];
    for (const result of pair.results) {
      for (const [suffix, lumaOnly] of [["y", true], ["rgb", false]] as const) {
        const options = { luma: lumaOnly, cropBorder: result.crop_border };
        const difference = (metric: typeof psnr, wanted: number) =>
          Math.abs(metric(reference, image, options) - wanted);
        expect(difference(psnr, result[`psnr_${suffix}`])).toBeLessThan(tolerances.psnr.atol);
        expect(difference(ssim, result[`ssim_${suffix}`])).toBeLessThan(tolerances.ssim.atol);
      }
    }
  });
}

test("luma() is 16 for black and 235 for white", () => {
  expect([...luma(Uint8Array.of(0, 0, 0, 255, 255, 255))]).toEqual([16, 235]);
});

test("psnr() is infinite and ssim() 1 for equal pictures", () => {
  const picture = painted(13, 11, () => 77);
  for (const lumaOnly of [true, false]) {
    expect(psnr(picture, picture, { luma: lumaOnly, cropBorder: 1 })).toBe(Infinity);
    expect(ssim(picture, picture, { luma: lumaOnly, cropBorder: 0 })).toBeCloseTo(1, 12);
  }
});

test("psnr() and ssim() refuse sizes that do not match or leave nothing", () => {
  for (const metric of [psnr, ssim]) {
    const refused = (a: Rgb8, b: Rgb8, cropBorder: number) => () => metric(a, b, { luma: false, cropBorder });
    expect(refused(painted(20, 30, () => 0), painted(30, 20, () => 0), 0)).toThrow(
      "sizes must match: 20 x 30 and 30 x 20",
    );
    expect(refused(painted(20, 30, () => 0), painted(20, 30, () => 0), 10)).toThrow(RangeError);
    expect(refused(painted(20, 30, () => 0), painted(20, 30, () => 0), -1)).toThrow(RangeError);
  }
  const small = painted(20, 12, () => 0);
  expect(() => ssim(small, small, { luma: true, cropBorder: 1 })).toThrow("at least 11 after cropping: 18 x 10");
});
