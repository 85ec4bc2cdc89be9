import { InputError } from "@fluxsr/core";
import {
  filter2d,
  type Gpu,
  interpolate,
  type InterpolationMode,
  permute,
  poissonLevels,
  quantize,
  read,
  scoped,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";
import { addField, type BlurKernel, blurKernel, sharpen } from "@fluxsr/train";
import type { GoldenCase, Tensors } from "./case.ts";
import { compare, compareAll, type Group } from "./compare.ts";
import type { Handler } from "./handler.ts";
import { Recorder } from "./recorder.ts";

/** The tensors of a case that are not results. */
const INPUTS = ["image", "noise.color", "noise.gray"];

/** `degradation`: blur kernels, and the operators on a picture that the names of its tensors tell. */
export const degradation: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  const groups = [await compareKernels(golden), await compareOperators(golden, io, gpu)];
  if (golden.config.has("poisson_vals")) groups.push(await compareLevels(golden, io, gpu));
  return { groups, skipped: [] };
};

/** A kernel of `config.kernels` with its zeros around it. */
function kernelOf({ config }: GoldenCase, name: string): { size: number; values: Float64Array } {
  const settings = config.object("kernels").object(name);
  const words = settings.pick(["type", "size", "sigma_x", "sigma_y", "theta", "beta", "cutoff"]);
  const values = blurKernel(words as unknown as BlurKernel);
  const size = settings.number("size");
  const padded = Math.max(size, settings.has("pad_to") ? settings.number("pad_to") : 0);
  const border = (padded - size) / 2;
  const all = new Float64Array(padded * padded);
  for (let row = 0; row < size; row++) {
    all.set(values.subarray(row * size, (row + 1) * size), (row + border) * padded + border);
  }
  return { size: padded, values: all };
}

async function compareKernels(golden: GoldenCase): Promise<Group> {
  const expected = await golden.tensors("kernels.safetensors");
  const comparisons = [...expected].map(([name, { values }]) =>
    compare(name, { actual: kernelOf(golden, name).values, expected: values }, golden.tolerance("kernels"))
  );
  return { name: "kernels", comparisons };
}

async function compareOperators(golden: GoldenCase, io: Tensors, gpu: Gpu): Promise<Group> {
  const expected = new Map([...io].filter(([name]) => !INPUTS.includes(name)));
  using recorder = new Recorder();
  scoped(gpu, () => {
    const input = (name: string) => upload(gpu, io, name);
    for (const name of expected.keys()) {
      for (const [pattern, operate] of OPERATORS) {
        const parts = name.match(pattern);
        if (parts) recorder.observe(name, permute(operate(parts, { golden, input }), [0, 3, 1, 2]));
      }
    }
  });
  return compareAll("forward", { actual: await recorder.read(), expected }, golden.tolerance("forward"));
}

/** A tensor of the case as a picture: [C, h, w] -> [1, h, w, C]. */
function upload(gpu: Gpu, io: Tensors, name: string): Tensor {
  const found = io.get(name);
  if (!found) throw new InputError(`Cannot degrade: the case must give "${name}"`);
  return permute(tensor(gpu, found.values, [1, ...found.shape]), [0, 2, 3, 1]);
}

/** What makes the results of these names, whose parts in brackets it is given. */
type Operator = (parts: readonly string[], given: Given) => Tensor;

interface Given {
  readonly golden: GoldenCase;
  readonly input: (name: string) => Tensor;
}

const OPERATORS: readonly (readonly [RegExp, Operator])[] = [
  [/^filter2D\.(.+)$/, ([, name = ""], { golden, input }) => {
    const { size, values } = kernelOf(golden, name);
    const image = input("image");
    return filter2d(image, tensor(image.gpu, Float32Array.from(values), [size, size]));
  }],
  [
    /^resize\.(area|bilinear|bicubic)\.(\d+)x(\d+)$/,
    ([, mode, height, width], { input }) =>
      interpolate(input("image"), { mode: mode as InterpolationMode, height: Number(height), width: Number(width) }),
  ],
  [
    /^rescale\.(area|bilinear|bicubic)\.([\d.]+)$/,
    ([, mode, factor], { input }) =>
      interpolate(input("image"), { mode: mode as InterpolationMode, factor: Number(factor) }),
  ],
  [/^usm$/, (_, { golden: { config }, input }) => {
    const usm = config.object("usm");
    const [size, sigma, weight, threshold] = ["radius", "sigma", "weight", "threshold"].map((key) => usm.number(key));
    return sharpen(input("image"), { size: size!, sigma: sigma!, weight: weight!, threshold: threshold! });
  }],
  [/^gaussian\.(color|gray)(\.rounded)?$/, ([, field, rounded], { golden: { config }, input }) => {
    const noisy = addField(input("image"), input(`noise.${field}`), config.number("gaussian_sigma") / 255);
    return rounded ? quantize(noisy) : noisy;
  }],
];

/** The number of photons of white, from which Poisson noise is drawn. */
async function compareLevels(golden: GoldenCase, io: Tensors, gpu: Gpu): Promise<Group> {
  using levels = scoped(gpu, () => poissonLevels(upload(gpu, io, "image")));
  const [actual] = await read(levels);
  const values = { actual, expected: [golden.config.number("poisson_vals")] };
  return { name: "levels", comparisons: [compare("poisson_vals", values, { rtol: 0, atol: 0 })] };
}
