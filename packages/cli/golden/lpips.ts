import { InputError, loadModule, Lpips, lpipsPath, pseudoRandomVgg16, type WeightSource } from "@fluxsr/core";
import {
  concat,
  full,
  type Gpu,
  gradients,
  permute,
  reshape,
  scoped,
  Tape,
  type Tensor,
  tensor,
  totalVariation,
} from "@fluxsr/kernels";
import type { Tensors, Values } from "./case.ts";
import { compare, compareAll, compareL2, type Comparison, type Group } from "./compare.ts";
import type { Fields } from "./fields.ts";
import type { Handler } from "./handler.ts";
import { Recorder } from "./recorder.ts";

/** What is listed of a weight is in f32 and f64: the sum may be taken in another order. */
const EXACT = { rtol: 0, atol: 0 };
const SUMMED = { rtol: 0, atol: 1e-9 };

/** Tensors of `io.safetensors` that are given; all others are results. */
const GIVEN = ["image0", "image1"];

/** `lpips`: LPIPS and TV-LPIPS of pairs of pictures with pseudo-random weights, and the gradients of the first picture. */
export const lpips: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  const listed = golden.config.object("weights").objects("order_and_seeds");
  using source = formulaWeights(listed);
  const network = await loadFormulaLpips(gpu, listed);
  try {
    const actual = await run(gpu, network, io);
    const isGradient = (name: string) => name.startsWith("grad.");
    const expected = (isWanted: (name: string) => boolean) =>
      new Map([...io].filter(([name]) => !GIVEN.includes(name) && isWanted(name)));
    const grads = expected(isGradient);
    const bound = golden.bound("grads", "relative_l2");
    const lengths = [...grads].map(([name, { values }]) =>
      compareL2(name, { actual: actual.get(name)?.values ?? [], expected: values }, bound)
    );
    return {
      groups: [
        await compareWeights(source, listed),
        compareAll("forward", { actual, expected: expected((name) => !isGradient(name)) }, golden.tolerance("forward")),
        compareAll("grads", { actual, expected: grads }, golden.tolerance("grads")),
        { name: "grads l2", comparisons: lengths },
      ],
      skipped: [],
    };
  } finally {
    network.dispose();
  }
};

/** LPIPS with the pseudo-random weights that a case lists. */
export async function loadFormulaLpips(gpu: Gpu, listed: readonly Fields[]): Promise<Lpips> {
  using source = formulaWeights(listed);
  const network = new Lpips({ source: source.path, widths: headWidths(listed) });
  await loadModule(gpu, network, { source, precision: "f32" });
  return network;
}

/** The weights that a case lists, by their places in the network. */
function formulaWeights(listed: readonly Fields[]): WeightSource {
  const of = <T>(value: (fields: Fields) => T) => new Map(listed.map((fields) => [pathOf(fields), value(fields)]));
  return pseudoRandomVgg16(of((fields) => fields.numbers("shape")), { seeds: of((fields) => fields.number("seed")) });
}

function pathOf(fields: Fields): string {
  const name = fields.text("name");
  const path = lpipsPath(name);
  if (path === undefined) throw new InputError(`Cannot make weights: names must be those of LPIPS: "${name}"`);
  return path;
}

function headWidths(listed: readonly Fields[]): number[] {
  return listed.filter((fields) => pathOf(fields).startsWith("lins.")).flatMap((fields) => fields.numbers("shape"));
}

async function compareWeights(source: WeightSource, listed: readonly Fields[]): Promise<Group> {
  const comparisons: Comparison[] = [];
  for (const fields of listed) {
    const values = await source.readF32(pathOf(fields));
    const sum = values.reduce((sum, value) => sum + value, 0);
    const name = fields.text("name");
    comparisons.push(compare(name, { actual: values.subarray(0, 4), expected: fields.numbers("first4") }, EXACT));
    comparisons.push(compare(`${name} sum`, { actual: [sum], expected: [fields.number("sum")] }, SUMMED));
  }
  return { name: "weights", comparisons };
}

/** Everything that a case may list, by its names. */
async function run(gpu: Gpu, network: Lpips, io: Tensors): Promise<Map<string, Values>> {
  using recorder = new Recorder();
  const upload = (name: string) => {
    const values = io.get(name);
    if (!values) throw new InputError(`Cannot compare pictures: the case must give "${name}"`);
    return permute(tensor(gpu, values.values, values.shape), [0, 2, 3, 1]);
  };
  const observePicture = (name: string, picture: Tensor) => recorder.observe(name, permute(picture, [0, 3, 1, 2]));
  scoped(gpu, () => {
    const [image0, image1] = [upload("image0"), upload("image1")];
    observePicture("tv0", totalVariation(image0));
    const forms = { lpips: (image: Tensor) => image, tv_lpips: totalVariation };
    for (const [name, form] of Object.entries(forms)) {
      using tape = new Tape(gpu);
      tape.watch(image0);
      const [first, second] = [network.features(form(image0)), network.features(form(image1))];
      const distance = network.distance(first, second);
      const seed = full(gpu, distance.shape, 1);
      const [gradient] = gradients(tape, distance, { seed, wanted: [image0] });
      observePicture(`grad.image0.${name}`, gradient!);
      recorder.observe(name, distance);
      const taps = network.tapDistances(first, second).map((tap) => reshape(tap, [-1, 1]));
      recorder.observe(`${name}_taps`, concat(taps, 1));
    }
  });
  return await recorder.read();
}
