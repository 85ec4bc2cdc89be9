import type { BlurKernel } from "./blur_kernels.ts";
import type { Degradation, Stage } from "./draw.ts";
import type { Noise } from "./noise.ts";

/** What was drawn, in one line: the steps in their order. */
export function describeDegradation({ sharpen, stages, mode, sinc, isJpegLast }: Degradation): string {
  const rounds = stages.flatMap(describeStage);
  const lastJpeg = isJpegLast ? rounds.splice(-1) : [];
  const fit = [`fit ${mode}`, ...(sinc ? [describeBlur(sinc)] : [])];
  return [...(sharpen ? ["sharpen"] : []), ...rounds, ...fit, ...lastJpeg].join(", ");
}

function describeStage({ blur, resize: { mode, factor }, noise, jpeg }: Stage): string[] {
  return [
    ...(blur ? [describeBlur(blur)] : []),
    `${mode} x${factor.toFixed(2)}`,
    describeNoise(noise),
    `jpeg ${jpeg}`,
  ];
}

function describeBlur(blur: BlurKernel): string {
  if (blur.type === "sinc") return `sinc ${blur.size} cutoff ${blur.cutoff.toFixed(2)}`;
  const { type, size, sigma_x, sigma_y, theta, beta } = blur;
  const sigmas = sigma_y === undefined ? sigma_x.toFixed(2) : `${sigma_x.toFixed(2)} ${sigma_y.toFixed(2)}`;
  const extras = [["theta", theta], ["beta", beta]] as const;
  const shown = extras.flatMap(([name, value]) => value === undefined ? [] : [` ${name} ${value.toFixed(2)}`]);
  return `${type} ${size} sigma ${sigmas}${shown.join("")}`;
}

function describeNoise(noise: Noise): string {
  const strength = noise.type === "gaussian" ? noise.sigma.toFixed(1) : noise.scale.toFixed(2);
  return `${noise.type}${noise.gray ? " gray" : ""} ${strength}`;
}
