import { InputError, readJson } from "@fluxsr/core";
import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { notNegative, positive } from "../../config/rules.ts";
import type { GaussianKind } from "./blur_kernels.ts";
import realEsrgan from "./real_esrgan.json" with { type: "json" };

const PROBABILITY = "a number from 0 to 1";
const probability = z.number(PROBABILITY).min(0, PROBABILITY).max(1, PROBABILITY);

/** `[low, high]`; the message is the rule that completes "must be". */
function range(rule: string, isGood: (value: number) => boolean) {
  const message = `two numbers${rule}, the lower first`;
  return z.tuple([z.number(message), z.number(message)], message)
    .refine(([low, high]) => low <= high && isGood(low) && isGood(high), message);
}

const AROUND_ONE = "two numbers above 0, the first at most 1, the second at least 1";
const aroundOne = z.tuple([z.number(AROUND_ONE), z.number(AROUND_ONE)], AROUND_ONE)
  .refine(([low, high]) => 0 < low && low <= 1 && 1 <= high, AROUND_ONE);

/** How likely something is relative to the others of its object; what is left out never happens. */
const weight = notNegative.default(0);
const SOME_WEIGHT = "an object with a number above 0 for one of its keys";
const hasSomeWeight = (weights: Readonly<Record<string, number>>) => Object.values(weights).some((each) => each > 0);
const kernelWeights = {
  iso: weight,
  aniso: weight,
  generalized_iso: weight,
  generalized_aniso: weight,
  plateau_iso: weight,
  plateau_aniso: weight,
} satisfies Record<GaussianKind, unknown>;
const resizeWeights = { up: weight, down: weight, keep: weight };

const isOdd = (value: number) => value > 0 && value % 2 === 1;
const odd = z.number("an odd number").refine(isOdd, "an odd number");
const kernelSize = range(", odd", isOdd);
const jpegQuality = range(", whole, from 1 to 100", (value) => Number.isInteger(value) && value >= 1 && value <= 100);

/** One round of blur, resize, noise and JPEG. Names are Real-ESRGAN's, without the 2 of those of the second round. */
const stage = z.strictObject({
  blur_prob: probability,
  /** Side of blur kernels: an odd number in this range. */
  kernel_size: kernelSize,
  /** That the kernel is a low pass. */
  sinc_prob: probability,
  /** The kinds of the other kernels. */
  kernel_prob: z.strictObject(kernelWeights, SOME_WEIGHT).refine(hasSomeWeight, SOME_WEIGHT),
  /** Standard deviations of kernels in pixels. */
  blur_sigma: range(" above 0", (value) => value > 0),
  /** Exponents of generalised Gaussians: half of them up to 1, half from 1 on. */
  betag_range: aroundOne,
  /** The same of plateau kernels. */
  betap_range: aroundOne,
  resize_prob: z.strictObject(resizeWeights, SOME_WEIGHT).refine(hasSomeWeight, SOME_WEIGHT),
  /** Factors: down from the first to 1, up from 1 to the second. */
  resize_range: aroundOne,
  /** That the noise is Gaussian; otherwise it is Poisson noise. */
  gaussian_noise_prob: probability,
  /** Standard deviations of Gaussian noise, of values up to 255. */
  noise_range: range(" of at least 0", (value) => value >= 0),
  poisson_scale_range: range(" of at least 0", (value) => value >= 0),
  /** That all channels have the same noise. */
  gray_noise_prob: probability,
  /** Qualities of JPEG. */
  jpeg_range: jpegQuality,
}, "an object");

const schema = z.strictObject({
  /** Sharpening of the picture before all else; null for none. */
  sharpen: z.strictObject(
    { size: odd, sigma: positive, weight: notNegative, threshold: notNegative },
    "an object, or null",
  ).nullable(),
  first: stage,
  /** That there is a second round at all. */
  second_order_prob: probability,
  second: stage,
  /** That there is no round and no low pass: the picture is only made smaller. Not of Real-ESRGAN, where it is 0. */
  clean_prob: probability,
  /** That the result goes through a low pass at the end. */
  final_sinc_prob: probability,
  final_kernel_size: kernelSize,
  /** That the last JPEG compression comes after the final resize and low pass, rather than before. */
  jpeg_last_prob: probability,
});

/** All parameters of the degradation, checked. */
export type DegradationParameters = z.infer<typeof schema>;
/** Those of one round. */
export type StageParameters = z.infer<typeof stage>;

/**
 * The parameters in a JSON file; what it leaves out is Real-ESRGAN's, and without a file all are. That goes for the keys of
 * `sharpen`, `first` and `second` too: `{"second": {"blur_prob": 0}}` changes that alone.
 *
 * @throws {InputError} if the file cannot be read, or naming a key that is unknown or whose value breaks its rule
 */
export async function readDegradation(path?: string): Promise<DegradationParameters> {
  return path === undefined ? parseDegradation({}) : parseDegradation(await readJson(path), { file: path });
}

/** Checks parameters, `json` being the parsed contents of `file`, and fills in Real-ESRGAN's. */
export function parseDegradation(json: unknown, { file }: { file?: string } = {}): DegradationParameters {
  const action = `Cannot use the degradation${file === undefined ? "" : ` ${JSON.stringify(file)}`}`;
  if (!isObject(json)) throw new InputError(`${action}: it must be a JSON object: it is ${JSON.stringify(json)}`);
  const whole = { ...realEsrgan, ...json };
  for (const part of ["sharpen", "first", "second"] as const) {
    const given = whole[part] as unknown;
    if (isObject(given)) Object.assign(whole, { [part]: { ...realEsrgan[part], ...given } });
  }
  const { data, error } = schema.safeParse(whole);
  const [issue] = error?.issues ?? [];
  if (!issue) return data!;
  // An element of a range is told as the range.
  const keys = issue.path.filter((key) => typeof key === "string");
  const at = (root: unknown) => keys.reduce<unknown>((value, key) => isObject(value) ? value[key] : undefined, root);
  const place = keys.join(".");
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const where = place === "" ? "" : ` of ${place}`;
    throw new InputError(`${action}: keys${where} must be known ones: it has ${JSON.stringify(key)}`, {
      hint: `did you mean ${JSON.stringify(closest(key, Object.keys(at(realEsrgan) ?? {})))}?`,
    });
  }
  throw new InputError(`${action}: ${place} must be ${issue.message}: it is ${JSON.stringify(at(whole))}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
