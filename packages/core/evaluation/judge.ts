import { cut, type Rgb8 } from "../image/rgb8.ts";
import { colorDifference } from "../metrics/color_difference.ts";
import { gridRatio } from "../metrics/grid.ts";
import { niqe } from "../metrics/niqe.ts";
import { psnr } from "../metrics/psnr.ts";
import { ssim } from "../metrics/ssim.ts";
import { FIGURE_NAMES, type Figures } from "./figures.ts";
import { isComparable, type PerceptualNetworks, PerceptualReference } from "./perceptual_reference.ts";

/** The border is cut off before: nothing more is to be ignored. */
const WHOLE = { luma: true, cropBorder: 0 };

/**
 * Compares enlargements of one picture with the ground truth.
 *
 * All figures but the difference in colour from the small picture are of what is inside of a border of `cropBorder`
 * pixels. One that a picture is too small for is NaN: NIQE needs two blocks of 96 x 96, the grid figure sides of 96, SSIM
 * of 11, LPIPS and DISTS of 16; those two are also NaN if the adapter has no buffers that large.
 */
export class Judge implements Disposable {
  readonly #low: Rgb8;
  readonly #truth: Rgb8;
  readonly #border: number;
  readonly #niqe: number;
  readonly #reference: PerceptualReference | undefined;

  private constructor({ low, truth, border, niqe, reference }: {
    low: Rgb8;
    truth: Rgb8;
    border: number;
    niqe: number;
    reference: PerceptualReference | undefined;
  }) {
    this.#low = low;
    this.#truth = truth;
    this.#border = border;
    this.#niqe = niqe;
    this.#reference = reference;
  }

  /** A judge of what is made of `low` and should be `truth`. @throws {RangeError} if nothing is inside of the border */
  static async of(
    { low, truth }: { low: Rgb8; truth: Rgb8 },
    { networks, cropBorder: border }: { networks: PerceptualNetworks; cropBorder: number },
  ): Promise<Judge> {
    const inner = inside(truth, border);
    return new Judge({
      low,
      truth: inner,
      border,
      niqe: await orNaN(() => niqe(inner, WHOLE)),
      reference: isComparable(inner, networks) ? new PerceptualReference(inner, networks) : undefined,
    });
  }

  /** What there is to say of the ground truth: its NIQE. */
  get truth(): Figures {
    const none = Object.fromEntries(FIGURE_NAMES.map((name) => [name, NaN]));
    return { ...none as Figures, niqe: this.#niqe };
  }

  /** How near `picture` is. @throws {RangeError} if it has another size */
  async figures(picture: Rgb8): Promise<Figures> {
    const truth = this.#truth;
    const image = inside(picture, this.#border);
    const psnr_y = psnr(truth, image, WHOLE);
    const distances = await this.#reference?.distances(image) ?? { lpips: NaN, dists: NaN };
    const ownNiqe = await orNaN(() => niqe(image, WHOLE));
    return {
      psnr_y,
      ssim_y: await orNaN(() => ssim(truth, image, WHOLE)),
      ...distances,
      niqe: ownNiqe,
      niqe_distance: Math.abs(ownNiqe - this.#niqe),
      grid: await orNaN(() => gridRatio(truth, image, WHOLE)),
      color: colorDifference(truth, image),
      color_low: colorDifference(this.#low, picture),
    };
  }

  [Symbol.dispose](): void {
    this.#reference?.[Symbol.dispose]();
  }
}

function inside(picture: Rgb8, border: number): Rgb8 {
  const [width, height] = [picture.width - 2 * border, picture.height - 2 * border];
  if (Math.min(width, height) < 1) {
    const size = `${picture.width} x ${picture.height}`;
    throw new RangeError(`Cannot judge a picture: a border of ${border} must leave something: it is ${size}`);
  }
  return cut(picture, { left: border, top: border, width, height });
}

/** The metrics refuse pictures that are too small for them by a RangeError. */
async function orNaN(figure: () => number | Promise<number>): Promise<number> {
  try {
    return await figure();
  } catch (error) {
    if (error instanceof RangeError) return NaN;
    throw error;
  }
}
