import type { InterpolationMode } from "@fluxsr/kernels";
import type { Random } from "../../random.ts";
import type { BlurKernel, GaussianKind, SincBlur } from "./blur_kernels.ts";
import type { Noise } from "./noise.ts";
import type { DegradationParameters, StageParameters } from "./parameters.ts";
import type { SharpenOptions } from "./usm.ts";

/** One round of blur, resize, noise and JPEG with everything decided. */
export interface Stage {
  /** Undefined for no blur. */
  readonly blur: BlurKernel | undefined;
  readonly resize: Resize;
  readonly noise: Noise;
  /** Quality, 1 to 100. */
  readonly jpeg: number;
}

/** A resize by `factor`: in the first round of the picture, in the second of the size that the result will have. */
export interface Resize {
  readonly mode: InterpolationMode;
  readonly factor: number;
}

/** What happens to one picture. */
export interface Degradation {
  readonly sharpen: SharpenOptions | null;
  /** Two, one, or none: then the picture is only made smaller. */
  readonly stages: readonly Stage[];
  /** How the result gets its size. */
  readonly mode: InterpolationMode;
  /** The low pass at the end; undefined for none. */
  readonly sinc: SincBlur | undefined;
  /** Whether the JPEG compression of the last stage comes after that, or before the resize. */
  readonly isJpegLast: boolean;
}

const MODES = ["area", "bilinear", "bicubic"] as const;

/** Decides what happens to one picture: the same random numbers give the same. */
export function drawDegradation(parameters: DegradationParameters, random: Random): Degradation {
  const { first, second, second_order_prob, final_sinc_prob, final_kernel_size, jpeg_last_prob } = parameters;
  const stages = [drawStage(first, random)];
  if (chance(second_order_prob, random)) stages.push(drawStage(second, random));
  const degradation: Degradation = {
    sharpen: parameters.sharpen,
    stages,
    mode: MODES[random.integer(MODES.length)]!,
    sinc: chance(final_sinc_prob, random)
      ? { type: "sinc", size: drawSize(final_kernel_size, random), cutoff: random.uniform(Math.PI / 3, Math.PI) }
      : undefined,
    isJpegLast: chance(jpeg_last_prob, random),
  };
  // Last, so that all else of a sample is the same whatever the share of clean ones.
  return chance(parameters.clean_prob, random) ? { ...degradation, stages: [], sinc: undefined } : degradation;
}

function drawStage(parameters: StageParameters, random: Random): Stage {
  return {
    blur: chance(parameters.blur_prob, random) ? drawKernel(parameters, random) : undefined,
    resize: drawResize(parameters, random),
    noise: drawNoise(parameters, random),
    jpeg: Math.round(random.uniform(...parameters.jpeg_range)),
  };
}

function drawKernel(parameters: StageParameters, random: Random): BlurKernel {
  const size = drawSize(parameters.kernel_size, random);
  if (chance(parameters.sinc_prob, random)) {
    // A small kernel cannot hold a low frequency.
    const lowest = size < 13 ? Math.PI / 3 : Math.PI / 5;
    return { type: "sinc", size, cutoff: random.uniform(lowest, Math.PI) };
  }
  const type = drawKey<GaussianKind>(parameters.kernel_prob, random);
  const sigma_x = random.uniform(...parameters.blur_sigma);
  const across = type.endsWith("aniso")
    ? { sigma_y: random.uniform(...parameters.blur_sigma), theta: random.uniform(-Math.PI, Math.PI) }
    : {};
  return { type, size, sigma_x, ...across, ...drawBeta(type, parameters, random) };
}

/** Half of the exponents lie below 1, half above, however far the range goes. */
function drawBeta(
  type: GaussianKind,
  { betag_range, betap_range }: StageParameters,
  random: Random,
): { beta?: number } {
  if (type === "iso" || type === "aniso") return {};
  return {
    beta: aroundOne(type.startsWith("plateau") ? betap_range : betag_range, { isUp: chance(0.5, random), random }),
  };
}

function drawResize({ resize_prob, resize_range }: StageParameters, random: Random): Resize {
  const direction = drawKey(resize_prob, random);
  const factor = direction === "keep" ? 1 : aroundOne(resize_range, { isUp: direction === "up", random });
  return { mode: MODES[random.integer(MODES.length)]!, factor };
}

function drawNoise(parameters: StageParameters, random: Random): Noise {
  const isGaussian = chance(parameters.gaussian_noise_prob, random);
  const field = { gray: chance(parameters.gray_noise_prob, random), seed: random.seed() };
  return isGaussian
    ? { type: "gaussian", ...field, sigma: random.uniform(...parameters.noise_range) }
    : { type: "poisson", ...field, scale: random.uniform(...parameters.poisson_scale_range) };
}

function chance(probability: number, random: Random): boolean {
  return random.uniform() < probability;
}

/** An odd number in a range of odd numbers. */
function drawSize([low, high]: readonly [number, number], random: Random): number {
  return low + 2 * random.integer((high - low) / 2 + 1);
}

function aroundOne(
  [low, high]: readonly [number, number],
  { isUp, random }: { isUp: boolean; random: Random },
): number {
  return isUp ? random.uniform(1, high) : random.uniform(low, 1);
}

/** A key of `weights`, each as likely as its value. */
function drawKey<K extends string>(weights: Readonly<Record<K, number>>, random: Random): K {
  const keys = Object.keys(weights) as K[];
  return keys[random.choice(keys.map((key) => weights[key]))]!;
}
