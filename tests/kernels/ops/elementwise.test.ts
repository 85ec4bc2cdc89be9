import {
  absolute,
  add,
  affine,
  clamp,
  combine,
  exp,
  full,
  gradients,
  multiply,
  read,
  sizeOf,
  subtract,
  Tape,
  tensor,
} from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";

/** One element, a prime, a workgroup and one more, batch 2 and non-square. */
const SHAPES = [[1], [7], [64], [65], [2, 3, 31, 5]];

describe.each(SHAPES.map((shape) => [shape]))("elementwise ops for shape %j", (shape) => {
  const a = randomTensor(shape, 1);
  const b = randomTensor(shape, 2);

  test("combine() matches the reference", async () => {
    await expectClose(
      combine(a.tensor, b.tensor, { alpha: 0.5, beta: -3 }),
      a.data.map((x, i) => 0.5 * x - 3 * b.data[i]!),
    );
  });
  test("subtract() matches the reference", async () => {
    await expectClose(subtract(a.tensor, b.tensor), a.data.map((x, i) => x - b.data[i]!));
  });
  test("multiply() matches the reference", async () => {
    await expectClose(multiply(a.tensor, b.tensor), a.data.map((x, i) => x * b.data[i]!));
  });
  test("affine() matches the reference", async () => {
    await expectClose(affine(a.tensor, { scale: 2, offset: 0.25 }), a.data.map((x) => 2 * x + 0.25));
  });
  test("exp() matches the reference", async () => {
    await expectClose(exp(a.tensor, 0.5), a.data.map((x) => Math.exp(0.5 * x)));
  });
  test("clamp() limits the values", async () => {
    await expectClose(clamp(a.tensor, -0.5, 0.5), a.data.map((x) => Math.min(0.5, Math.max(-0.5, x))));
  });
});

describe.each(SHAPES.map((shape) => [shape]))("gradients of elementwise ops for shape %j", (shape) => {
  const both = { a: shape, b: shape };

  test("combine() matches central differences", async () => {
    const kernels = await expectGradients(both, {
      op: ({ a, b }) => combine(a!, b!, { alpha: 0.5, beta: -3 }),
      reference: ({ a, b }) => Float64Array.from(a!, (x, i) => 0.5 * x - 3 * b![i]!),
    });
    expect(kernels.a).toEqual(["elementwise.affine"]);
  });
  test("subtract() matches central differences and passes the gradient of the first on", async () => {
    const kernels = await expectGradients(both, {
      op: ({ a, b }) => subtract(a!, b!),
      reference: ({ a, b }) => Float64Array.from(a!, (x, i) => x - b![i]!),
    });
    expect(kernels.a).toEqual([]);
  });
  test("multiply() matches central differences", async () => {
    const kernels = await expectGradients(both, {
      op: ({ a, b }) => multiply(a!, b!),
      reference: ({ a, b }) => Float64Array.from(a!, (x, i) => x * b![i]!),
    });
    expect(kernels.b).toEqual(["elementwise.multiply"]);
  });
  test("affine() matches central differences", async () => {
    await expectGradients({ a: shape }, {
      op: ({ a }) => affine(a!, { scale: 2, offset: 0.25 }),
      reference: ({ a }) => Float64Array.from(a!, (x) => 2 * x + 0.25),
    });
  });
  test("exp() matches central differences", async () => {
    await expectGradients({ a: shape }, {
      op: ({ a }) => exp(a!, 0.5),
      reference: ({ a }) => Float64Array.from(a!, (x) => Math.exp(0.5 * x)),
    });
  });
  test("clamp() matches central differences", async () => {
    await expectGradients({ a: shape }, {
      op: ({ a }) => clamp(a!, -0.5, 0.25),
      reference: ({ a }) => Float64Array.from(a!, (x) => Math.min(0.25, Math.max(-0.5, x))),
    });
  });
  test("absolute() matches central differences", async () => {
    await expectGradients({ a: shape }, {
      op: ({ a }) => absolute(a!),
      reference: ({ a }) => Float64Array.from(a!, Math.abs),
    });
  });
});

test("absolute() has the derivative 0 at 0", async () => {
  const a = tensor(gpu, Float32Array.of(0, -0, -2, 3), [4]);
  using tape = new Tape(gpu);
  tape.watch(a);
  const y = absolute(a);
  const seed = tensor(gpu, Float32Array.of(5, 5, 5, 5), [4]);
  const [da] = await read(...gradients(tape, y, { seed, wanted: [a] }));
  expect([...da!].map((value) => value + 0)).toEqual([0, 0, -5, 5]);
});

test("clamp() has the derivative 1 at its limits and 0 beyond", async () => {
  const a = tensor(gpu, Float32Array.of(-2, -1, 0, 3, 4), [5]);
  using tape = new Tape(gpu);
  tape.watch(a);
  const y = clamp(a, -1, 3);
  const seed = tensor(gpu, random([5]), [5]);
  const [da] = await read(...gradients(tape, y, { seed, wanted: [a] }));
  expect(da).toEqual(random([5]).map((dy, i) => i > 0 && i < 4 ? dy : 0));
});

test("combine() spreads more than 65535 workgroups over two dimensions", async () => {
  const count = 65536 * 64 + 3;
  const a = randomTensor([count]);
  const [sum] = await read(combine(a.tensor, a.tensor));
  for (const i of [0, 65535 * 64, count - 1]) expect(sum![i]).toBeCloseTo(2 * a.data[i]!, 6);
  gpu.trim();
});

test.each(SHAPES.map((shape) => [shape]))("full() has one number everywhere in %j", async (shape) => {
  const [x, none] = await read(full(gpu, shape, -2.5), full(gpu, [0, 3], 1));
  expect([...x!]).toEqual(Array(sizeOf(shape)).fill(-2.5));
  expect(none).toHaveLength(0);
});

test("combine() refuses what is not f32", () => {
  const x = tensor(gpu, new Uint8Array(8), [4], "bf16");
  expect(() => add(x, x)).toThrow(/Cannot run ".*combine": a must be f32: it is bf16/);
});

test("combine() refuses different shapes", () => {
  const a = randomTensor([2, 3]);
  const b = randomTensor([3, 2]);
  expect(() => combine(a.tensor, b.tensor)).toThrow("shapes must match: a is [2, 3], b is [3, 2]");
});
