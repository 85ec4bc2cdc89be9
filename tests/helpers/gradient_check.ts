import { affine, type Gpu, gradients, read, scoped, type Shape, Tape, type Tensor, tensor } from "@fluxsr/kernels";
import { expect, vi } from "vitest";
import { slope } from "../reference/central_differences.ts";
import { F32, gpu as common, random, scaledError } from "./gpu.ts";

type Named<T> = Readonly<Record<string, T>>;

/** An op of named inputs, on the GPU and in plain f64. */
export interface Op {
  /** Default the one GPU of the tests. */
  readonly on?: Gpu;
  readonly op: (inputs: Named<Tensor>) => Tensor;
  readonly reference: (inputs: Named<ArrayLike<number>>) => ArrayLike<number>;
}

/** Elements of each input whose derivative is checked by itself; besides, one random direction of all of them. */
const SAMPLES = 12;

/** f32 sums in another order, relative to the largest: at most 9e-7 was measured on lavapipe. */
const TOLERANCE = 1e-5;

/** All non-empty selections of `names`. */
function selections(names: readonly string[]): string[][] {
  return Array.from({ length: 2 ** names.length - 1 }, (_, i) => names.filter((_, bit) => (i + 1) >> bit & 1));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? NaN) * (b[i] ?? NaN);
  return sum;
}

/** Indices spread over `size` elements, first and last among them. */
function samples(size: number): number[] {
  const count = Math.min(SAMPLES, size);
  return Array.from({ length: count }, (_, i) => count === 1 ? 0 : Math.round(i * (size - 1) / (count - 1)));
}

/**
 * The result and its gradients when the inputs named in `tracked` are watched, and the kernels of the latter. Before the
 * gradients, inputs and result are given up: what they need the tape must hold.
 */
function run({ op, on: gpu = common }: Op, { shapes, values, seed, tracked }: {
  shapes: Named<Shape>;
  values: Named<Float32Array<ArrayBuffer>>;
  seed: Float32Array<ArrayBuffer>;
  tracked: readonly string[];
}): { y: Tensor; grads: Tensor[]; kernels: string[] } {
  const inputs = Object.fromEntries(
    Object.entries(values).map(([name, each]) => [name, tensor(gpu, each, shapes[name] ?? [])]),
  );
  const wanted = tracked.map((name) => inputs[name]!);
  using tape = new Tape(gpu);
  for (const each of wanted) tape.watch(each);
  const output = scoped(gpu, () => op(inputs));
  tape.stop();
  const y = affine(output, {});
  using dy = tensor(gpu, seed, y.shape);
  for (const each of [output, ...Object.values(inputs)]) each.dispose();
  const dispatches = vi.spyOn(gpu, "run");
  const grads = gradients(tape, output, { seed: dy, wanted });
  const kernels = dispatches.mock.calls.map(([kernel]) => kernel.name).sort();
  dispatches.mockRestore();
  expect(grads.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
  return { y, grads, kernels };
}

/**
 * Asserts that `op` equals its reference, and its gradients the central differences of that; that these are the same bits
 * whichever inputs are tracked, and that no GPU memory is left behind.
 *
 * Returns the kernels of each backward pass, sorted, by the tracked names, e.g. `a b`.
 */
export async function expectGradients(
  shapes: Named<Shape>,
  { op, reference, on: gpu = common }: Op,
  tolerance = TOLERANCE,
): Promise<Record<string, string[]>> {
  const live = gpu.memory.live;
  const names = Object.keys(shapes);
  const values = Object.fromEntries(names.map((name, i) => [name, random(shapes[name] ?? [], i + 1)]));
  const plain = reference(values);
  const seed = random([plain.length], 99);
  const runs = selections(names).map((tracked) => ({
    tracked,
    ...run({ op, reference, on: gpu }, { shapes, values, seed, tracked }),
  }));
  const results = await Promise.all(runs.map(({ y, grads }) => read(...grads, y)));
  for (const each of runs.flatMap(({ y, grads }) => [y, ...grads])) each.dispose();
  expect(gpu.memory.live).toBe(live);

  const all = results.at(-1) ?? [];
  runs.forEach(({ tracked }, i) => {
    expect(scaledError(results[i]?.at(-1) ?? [], plain)).toBeLessThan(Math.max(F32, tolerance));
    tracked.forEach((name, k) => expect(results[i]?.[k], `d${name}`).toEqual(all[names.indexOf(name)]));
  });
  const loss = (changed: Named<ArrayLike<number>>) => dot(reference({ ...values, ...changed }), seed);
  for (const [i, name] of names.entries()) {
    const actual = all[i] ?? new Float32Array();
    const value = Float64Array.from(values[name] ?? []);
    const largest = actual.reduce((most, each) => Math.max(most, Math.abs(each)), 1e-3);
    for (const at of samples(value.length)) {
      const expected = slope((distance) => loss({ [name]: value.with(at, value[at]! + distance) }));
      expect(Math.abs(actual[at]! - expected) / largest, `d${name}[${at}] is ${actual[at]}, not ${expected}`)
        .toBeLessThan(tolerance);
    }
    const way = random([value.length], 100 + i);
    const expected = slope((distance) => loss({ [name]: value.map((each, at) => each + distance * way[at]!) }));
    const scale = Math.max(dot(actual.map(Math.abs), way.map(Math.abs)), 1e-3);
    expect(Math.abs(dot(actual, way) - expected) / scale, `d${name} along a direction`).toBeLessThan(tolerance);
  }
  return Object.fromEntries(runs.map(({ tracked, kernels }) => [tracked.join(" "), kernels]));
}
