import { filter2d, interpolate, quantize, scoped, type Size, type Tensor, tensor } from "@fluxsr/kernels";
import type { Random } from "../../random.ts";
import { type BlurKernel, blurKernel } from "./blur_kernels.ts";
import { type Degradation, drawDegradation } from "./draw.ts";
import { compressJpeg } from "./jpeg.ts";
import { addNoise } from "./noise.ts";
import type { DegradationParameters } from "./parameters.ts";
import { sharpen } from "./usm.ts";

/**
 * A low-resolution picture as it might come from the world, made of a good one by the second-order degradation of
 * Real-ESRGAN (arXiv 2107.10833): `hr [1, h, w, 3]` in [0, 1] -> [1, h / scale, w / scale, 3], sides rounded down, in [0, 1]
 * and steps of 8 bits. What happens depends on `random` alone; it waits for the GPU once for every JPEG compression.
 *
 * @throws {RangeError} if a side of `hr` is so small that nothing is left of it
 */
export function degrade(
  hr: Tensor,
  { parameters, random, scale }: { parameters: DegradationParameters; random: Random; scale: number },
): Promise<Tensor> {
  return applyDegradation(hr, { degradation: drawDegradation(parameters, random), scale });
}

/** {@linkcode degrade} with everything decided already. */
export async function applyDegradation(
  hr: Tensor,
  { degradation, scale }: { degradation: Degradation; scale: number },
): Promise<Tensor> {
  const [, height = 0, width = 0] = hr.shape;
  const size = { height: Math.floor(height / scale), width: Math.floor(width / scale) };
  const [first, ...rest] = stepsOf(degradation, size);
  let x = await first!(hr);
  for (const step of rest) {
    using before = x;
    x = await step(before);
  }
  return x;
}

type Step = (x: Tensor) => Tensor | Promise<Tensor>;

/** What is done, in order; the result is of `size`. */
function stepsOf({ sharpen: usm, stages, mode, sinc, isJpegLast }: Degradation, size: Size): Step[] {
  const rounds = stages.flatMap(({ blur, resize, noise, jpeg }, i): Step[] => {
    // The second round may follow on a picture of any size, so that it aims at a part of the final one.
    const wanted = i === 0 ? resize : { mode: resize.mode, ...scaled(size, resize.factor) };
    return [
      ...blurSteps(blur),
      (x) => interpolate(x, wanted),
      (x) => addNoise(x, noise),
      (x) => compressJpeg(x, { quality: jpeg }),
    ];
  });
  const lastJpeg = isJpegLast ? rounds.splice(-1) : [];
  return [
    ...(usm ? [(x: Tensor) => sharpen(x, usm)] : []),
    ...rounds,
    (x) => interpolate(x, { mode, ...size }),
    ...blurSteps(sinc),
    ...lastJpeg,
    quantize,
  ];
}

function scaled({ height, width }: Size, factor: number): Size {
  const side = (length: number) => Math.max(1, Math.floor(length * factor));
  return { height: side(height), width: side(width) };
}

function blurSteps(blur: BlurKernel | undefined): Step[] {
  if (!blur) return [];
  const taps = Float32Array.from(blurKernel(blur));
  return [(x) => scoped(x.gpu, () => filter2d(x, tensor(x.gpu, taps, [blur.size, blur.size])))];
}
