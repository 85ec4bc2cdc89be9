import { featureDistance, gradients, read, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { featureDistance as reference } from "../../reference/perceptual.ts";

/** One position, primes, batch 2, one more than a workgroup of channels, more positions than threads that average. */
const SHAPES = [[1, 1, 1, 2], [2, 3, 5, 3], [1, 2, 3, 65], [2, 17, 19, 7], [2, 3, 3, 12]];

describe.each([["a software adapter", gpu], ["hardware", hardwareGpu()]])("on %s", (_, on) => {
  test.each(SHAPES.map((shape) => [shape]))("featureDistance() and its gradient for shape %j", async (shape) => {
    const width = [shape.at(-1)!];
    const [g, weight] = [random(shape, 11), random(width, 12)];
    const constants = { g: tensor(on, g, shape), weight: tensor(on, weight, width) };
    await expectGradients({ f: shape }, {
      op: ({ f }) => featureDistance(f!, constants.g, constants),
      reference: ({ f }) => reference([f!, g, weight], shape),
      on,
    });
  });
});

test("featureDistance() is exact where features are nearly alike", async () => {
  const shape = [1, 3, 4, 40];
  const g = random(shape, 1);
  const f = g.map((value, i) => value + 1e-3 * Math.sin(i));
  const weight = new Float32Array(40).fill(1);
  const y = featureDistance(tensor(gpu, f, shape), tensor(gpu, g, shape), { weight: tensor(gpu, weight, [40]) });
  // Rounding of the unit vectors, 6e-8, against differences of 1e-4.
  await expectClose(y, reference([f, g, weight], shape), 1e-3);
});

test("featureDistance() has the derivative of f / eps where all features are 0", async () => {
  const shape = [1, 1, 3, 2];
  const f = tensor(gpu, Float32Array.of(0, 0, 0, 0, 3, 4), shape);
  const g = tensor(gpu, Float32Array.of(3, 4, 0, 0, 0, 0), shape);
  using tape = new Tape(gpu);
  tape.watch(f);
  const y = featureDistance(f, g, { weight: tensor(gpu, Float32Array.of(1, 2), [2]) });
  const seed = tensor(gpu, Float32Array.of(3), [1]);
  const [distance, df] = await read(y, ...gradients(tape, y, { seed, wanted: [f] }));
  // A zero vector against a unit one and the other way round: 0.36 + 2 * 0.64 each.
  expect(distance![0]).toBeCloseTo(2 * 1.64 / 3, 6);
  expect([...df!.subarray(0, 2)].map((value) => value * 1e-10)).toEqual([
    expect.closeTo(-2 * 0.6, 5),
    expect.closeTo(-4 * 0.8, 5),
  ]);
  expect([...df!.subarray(2, 4)]).toEqual([0, 0]);
});

test("featureDistance() refuses shapes that do not fit, and gradients that it has not", () => {
  const [f, g, weight] = [[1, 2, 3, 4], [1, 2, 3, 4], [4]].map((shape) => randomTensor(shape).tensor);
  expect(() => featureDistance(f!, weight!, { weight: weight! })).toThrow("g must be [1, 2, 3, 4]: it is [4]");
  expect(() => featureDistance(f!, g!, { weight: f! })).toThrow("weight must be [4]: it is [1, 2, 3, 4]");
  using tape = new Tape(gpu);
  tape.watch(g!);
  expect(() => featureDistance(f!, g!, { weight: weight! })).toThrow("only f has a gradient");
});
