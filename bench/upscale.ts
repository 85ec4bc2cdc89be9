import { loadModel, type Picture, psnr, upscale } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { WrongResultError } from "./check.ts";
import { summary } from "./measure.ts";
import type { ResultRow } from "./report.ts";
import { STARTER } from "./starter.ts";
import { waves } from "./waves.ts";

const SIDE = 128;
const SCALE = 4;
const RUNS = 3;
/**
 * The restored picture is the enlarged one with detail added, so it stays this close, in dB; what the networks compute
 * is compared with PyTorch by `deno task golden`.
 */
const LEAST_PSNR = 30;

/**
 * Wall time of the stages of upscaling a picture with the starter, each with its wait (about 11 ms), and their sum.
 * @throws {WrongResultError} if the result is no restoration of the picture
 */
export async function upscaleStages(gpu: Gpu): Promise<ResultRow[]> {
  using model = await loadModel(gpu, STARTER);
  const picture: Picture = { ...waves(SIDE), depth: 8, grey: false, notes: [] };
  const { picture: restored, enlarged } = await upscale(model, picture, {
    scale: SCALE,
    colorFix: "wavelet",
    compare: true,
  });
  const likeness = enlarged ? psnr(bytes(enlarged), bytes(restored), { luma: false, cropBorder: 0 }) : NaN;
  if (restored.width !== SCALE * SIDE || !(likeness >= LEAST_PSNR && likeness < Infinity)) {
    throw new WrongResultError(
      `Cannot time upscale: the result must be within ${LEAST_PSNR} dB of the enlargement: it is ${likeness} dB`,
    );
  }
  const runs: Readonly<Record<string, number>>[] = [];
  for (let i = 0; i < RUNS; i++) {
    const { stages } = await upscale(model, picture, { scale: SCALE, colorFix: "wavelet", timed: true });
    runs.push({ ...stages, all: Object.values(stages).reduce((sum, stage) => sum + stage, 0) });
  }
  return Object.keys(runs[0] ?? {}).map((stage) => ({
    name: `upscale/${stage}`,
    shape: `${SIDE}^2 to ${SCALE * SIDE}^2`,
    origin: "the starter, end to end",
    ...summary(runs.map((run) => run[stage] ?? NaN)),
  }));
}

/** `picture` as of 8 bits, which it is. */
function bytes({ rgb, ...size }: Picture): Picture & { rgb: Uint8Array } {
  return { ...size, rgb: Uint8Array.from(rgb) };
}
