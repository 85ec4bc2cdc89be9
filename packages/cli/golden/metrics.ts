import { InputError, niqe, niqeFeatures, psnr, readImage, ssim } from "@fluxsr/core";
import type { GoldenCase } from "./case.ts";
import { compare, type Comparison, type Group } from "./compare.ts";
import type { Fields } from "./fields.ts";
import type { Handler } from "./handler.ts";

const METRICS = { psnr, ssim };

/** `metrics`: PSNR and SSIM of pairs of pictures, of Y and of RGB; NIQE and its features of single pictures. */
export const metrics: Handler = async (golden) => {
  const groups = [...await comparePairs(golden), ...await compareNiqe(golden)];
  return { groups, skipped: [] };
};

async function comparePairs(golden: GoldenCase): Promise<Group[]> {
  const comparisons: Record<string, Comparison[]> = { psnr: [], ssim: [] };
  for (const pair of listed(golden, "pairs")) {
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
  return Object.entries(comparisons).map(([name, comparisons]) => ({ name, comparisons }));
}

/** The features of picture i of the list are the tensor `niqe<i>.features`. */
async function compareNiqe(golden: GoldenCase): Promise<Group[]> {
  const cases = listed(golden, "niqe");
  if (cases.length === 0) return [];
  const expected = await golden.tensors("niqe_features.safetensors");
  const scores: Comparison[] = [];
  const features: Comparison[] = [];
  for (const [i, fields] of cases.entries()) {
    const file = fields.text("image");
    const image = await readPicture(golden, file);
    const options = { cropBorder: fields.number("crop_border") };
    const score = { actual: [await niqe(image, options)], expected: [fields.number("niqe")] };
    scores.push(compare(file, score, golden.tolerance("niqe")));
    const wanted = expected.get(`niqe${i}.features`);
    if (!wanted) continue;
    const actual = niqeFeatures(image, options).flatMap((block) => [...block]);
    features.push(compare(file, { actual, expected: wanted.values }, golden.tolerance("niqe_features")));
  }
  return [{ name: "niqe", comparisons: scores }, { name: "niqe_features", comparisons: features }];
}

function listed({ config }: GoldenCase, key: string): Fields[] {
  return config.has(key) ? config.objects(key) : [];
}

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
