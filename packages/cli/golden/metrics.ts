import { InputError, psnr, readImage, ssim } from "@fluxsr/core";
import type { GoldenCase } from "./case.ts";
import { compare, type Comparison, type Group } from "./compare.ts";
import type { Handler } from "./handler.ts";

const METRICS = { psnr, ssim };

/** `metrics`: PSNR and SSIM of pairs of pictures, of Y and of RGB. */
export const metrics: Handler = async (golden) => {
  const { config } = golden;
  const comparisons: Record<string, Comparison[]> = { psnr: [], ssim: [] };
  for (const pair of config.has("pairs") ? config.objects("pairs") : []) {
    const reference = await readPicture(golden, pair.text("reference"));
    const image = await readPicture(golden, pair.text("image"));
    for (const result of pair.objects("results")) {
      const cropBorder = result.number("crop_border");
      for (const key of result.keys.filter((key) => key !== "crop_border")) {
        const { metric, luma } = parseKey(key);
        const actual = METRICS[metric](reference, image, { luma, cropBorder });
        const name = `${pair.text("image")} ${key}, crop ${cropBorder}`;
        const values = { actual: [actual], expected: [result.number(key)] };
        comparisons[metric]?.push(compare(name, values, golden.tolerance(metric)));
      }
    }
  }
  const groups = Object.entries(comparisons).map(([name, comparisons]): Group => ({ name, comparisons }));
  return { groups, skipped: config.has("niqe") && config.objects("niqe").length > 0 ? ["niqe"] : [] };
};

/** `psnr_y`, `psnr_rgb`, `ssim_y` or `ssim_rgb`. */
function parseKey(key: string): { metric: keyof typeof METRICS; luma: boolean } {
  const [, metric, channels] = key.match(/^(psnr|ssim)_(y|rgb)$/) ?? [];
  if (!metric) throw new InputError(`Cannot measure pictures: metrics must be psnr or ssim, of y or rgb: "${key}"`);
  return { metric: metric as keyof typeof METRICS, luma: channels === "y" };
}

async function readPicture(golden: GoldenCase, file: string) {
  const { width, height, rgb } = await readImage(golden.path(file));
  if (rgb instanceof Uint8Array) return { width, height, rgb };
  throw new InputError(`Cannot measure "${golden.path(file)}": the picture must have 8 bits per channel`);
}
