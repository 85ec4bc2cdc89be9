import sharp from "sharp";
import { readImage } from "../image/read_image.ts";
import { type Rgb8, toRgb8 } from "../image/rgb8.ts";
import type { Model } from "../model.ts";
import { upscale } from "../upscale.ts";
import type { Figures } from "./figures.ts";
import { Judge } from "./judge.ts";
import type { PairsFolder } from "./pairs_folder.ts";
import type { PerceptualNetworks } from "./perceptual_reference.ts";

/** The ways to enlarge a picture that are always judged, in their order: by the model, and by two classic formulas. */
export const METHODS = ["model", "bicubic", "lanczos"] as const;

/** Options of {@linkcode evaluate}. */
export interface EvaluateOptions {
  readonly networks: PerceptualNetworks;
  /** Pixels at every side that are left out. */
  readonly cropBorder: number;
  /** What other programs made: by its name, the files in the order of the pairs. */
  readonly also: ReadonlyMap<string, readonly string[]>;
  readonly tile?: number | undefined;
  readonly seed?: number | undefined;
  readonly strength?: number | undefined;
}

/** How one pair came out. */
export interface Evaluated {
  readonly name: string;
  /** Of the ground truth itself: its NIQE. */
  readonly truth: Figures;
  /** By method. */
  readonly figures: ReadonlyMap<string, Figures>;
  /** What was judged, by method. */
  readonly pictures: ReadonlyMap<string, Rgb8>;
}

/** Enlarges the small picture of every pair in every way, and judges the results by the ground truth. */
export async function* evaluate(
  model: Model,
  { pairs, scale }: PairsFolder,
  { networks, cropBorder, also, tile, seed, strength }: EvaluateOptions,
): AsyncGenerator<Evaluated> {
  for (const [i, { name, low, truth }] of pairs.entries()) {
    const source = await readImage(low);
    const small = toRgb8(source);
    const { picture, enlarged } = await upscale(model, source, {
      scale,
      colorFix: "wavelet",
      tile,
      seed,
      strength,
      compare: true,
    });
    const pictures = new Map<string, Rgb8>([
      ["model", toRgb8(picture)],
      ["bicubic", toRgb8(enlarged!)],
      ["lanczos", await lanczos(small, scale)],
    ]);
    for (const [other, files] of also) pictures.set(other, toRgb8(await readImage(files[i]!)));
    const pair = { low: small, truth: toRgb8(await readImage(truth)) };
    using judge = await Judge.of(pair, { networks, cropBorder });
    const figures = new Map<string, Figures>();
    for (const [method, each] of pictures) figures.set(method, await judge.figures(each));
    yield { name, truth: judge.truth, figures, pictures };
  }
}

/** The enlargement that JavaScript programs have at hand: sharp's, by the Lanczos kernel with three lobes. */
async function lanczos({ width, height, rgb }: Rgb8, scale: number): Promise<Rgb8> {
  const size = { width: width * scale, height: height * scale };
  const pixels = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({ ...size, kernel: "lanczos3", fit: "fill" }).raw().toBuffer();
  return { ...size, rgb: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length) };
}
