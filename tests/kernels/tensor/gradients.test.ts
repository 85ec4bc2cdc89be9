import {
  add,
  affine,
  clamp,
  combine,
  gradients,
  gradientSteps,
  multiply,
  read,
  record,
  reshape,
  scale,
  scoped,
  Tape,
  Tensor,
  tensor,
} from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu, random } from "../../helpers/gpu.ts";

const SHAPE = [3, 5];

type Values = ArrayLike<number>;

describe("gradients() agree with central differences", () => {
  test.each<[string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number]>([
    ["combine", (a, b) => combine(a, b, { alpha: 0.7, beta: -1.3 }), (a, b) => 0.7 * a - 1.3 * b],
    ["multiply", (a, b) => multiply(a, b), (a, b) => a * b],
    [
      "affine of both",
      (a, b) => add(affine(a, { scale: 3, offset: 1 }), affine(b, { scale: -2 })),
      (a, b) => 3 * a + 1 - 2 * b,
    ],
    ["an input used twice", (a, b) => multiply(multiply(a, a), b), (a, b) => a * a * b],
    [
      "an input used on two paths",
      (a, b) => add(multiply(a, b), scale(multiply(b, b), 0.5)),
      (a, b) => a * b + 0.5 * b * b,
    ],
    ["reshape", (a, b) => multiply(reshape(reshape(multiply(a, b), [15]), SHAPE), b), (a, b) => a * b * b],
  ])("%s", async (_, op, formula) => {
    const each = (a: Values, b: Values) => Array.from(a, (value, i) => formula(value, b[i]!));
    const kernels = await expectGradients({ a: SHAPE, b: SHAPE }, {
      op: ({ a, b }) => op(a!, b!),
      reference: ({ a, b }) => each(a!, b!),
    });
    expect(Object.keys(kernels)).toEqual(["a", "b", "a b"]);
  });
});

/** A tape with `x` watched, and everything made in `body` freed after. */
function taped(body: (tape: Tape, x: Tensor) => void): void {
  scoped(gpu, () => {
    const x = tensor(gpu, random([2]), [2]);
    using tape = new Tape(gpu);
    tape.watch(x);
    body(tape, x);
  });
}

describe("gradients()", () => {
  test("name the op that has none", () => {
    taped((tape, x) => {
      const y = scale(record("no_gradient", clamp(x, 0, 1), { inputs: [x] }), 2);
      expect(() => gradients(tape, y, { seed: x, wanted: [x] })).toThrow(
        `Cannot differentiate "no_gradient": it has no gradient`,
      );
    });
  });

  test("are not asked of ops that do not lead to the output", () => {
    taped((tape, x) => {
      record("no_gradient", scale(x, 1), { inputs: [x] });
      expect(gradients(tape, scale(x, 2), { seed: x, wanted: [x] }).length).toBe(1);
    });
  });

  test("refuse a wanted tensor that the output does not depend on", () => {
    taped((tape, x) => {
      const other = scale(x, 3);
      expect(() => gradients(tape, scale(x, 2), { seed: x, wanted: [other] })).toThrow(
        "Cannot differentiate: a tensor [2] does not influence the output",
      );
    });
  });

  test("of values on the way are given too", async () => {
    const results: Tensor[] = [];
    taped((tape, x) => {
      const middle = affine(x, { scale: 3 });
      const y = affine(middle, { scale: 5 });
      const seed = tensor(gpu, new Float32Array([1, 2]), [2]);
      results.push(...gradients(tape, y, { seed, wanted: [x, middle] }).map((each) => each.retain()));
    });
    expect(await read(...results)).toEqual([new Float32Array([15, 30]), new Float32Array([5, 10])]);
    results.forEach((each) => each.release());
  });

  test("that pass through an op unchanged are tensors of their own", async () => {
    const before = gpu.memory.live;
    const [x, z, seed] = [1, 2, 3].map((i) => tensor(gpu, random([2], i), [2])) as [Tensor, Tensor, Tensor];
    const tape = new Tape(gpu);
    tape.watch(x);
    tape.watch(z);
    using y = record("pass", tensor(gpu, random([2]), [2]), { inputs: [x, z], saved: [], backward: (dy) => [dy, dy] });
    const [dx, dz, dy] = gradients(tape, y, { seed, wanted: [x, z, y] }) as [Tensor, Tensor, Tensor];
    expect(await read(dx, dz, dy)).toEqual([1, 2, 3].map(() => random([2], 3)));
    for (const each of [dx, dz, dy, seed, x, z]) each.dispose();
    tape.close();
    expect(gpu.memory.live).toBe(before + y.buffer.size);
  });
});

describe("gradientSteps()", () => {
  test("stops before each op on the way back, and ends with the gradients", async () => {
    const live = gpu.memory.live;
    const x = tensor(gpu, Float32Array.of(1, 2), [2]);
    using tape = new Tape(gpu);
    tape.watch(x);
    const y = scoped(gpu, () => scale(multiply(x, x), 3));
    const seed = tensor(gpu, Float32Array.of(1, 1), [2]);
    const steps = gradientSteps(tape, [y], { seed: [seed], wanted: [x] });
    const ops: string[] = [];
    let state = steps.next();
    for (; !state.done; state = steps.next()) ops.push(state.value);
    expect(ops).toEqual(tape.nodes.map(({ op }) => op).toReversed());
    expect(ops.length).toBe(2);
    const [dx] = state.value as [Tensor];
    expect(await read(dx)).toEqual([Float32Array.of(6, 12)]);
    for (const each of [x, y, dx, seed]) each.dispose();
    tape.close();
    expect(gpu.memory.live).toBe(live);
  });

  test("frees what it holds if it is ended early", () => {
    const x = tensor(gpu, Float32Array.of(1, 2), [2]);
    using tape = new Tape(gpu);
    tape.watch(x);
    const y = scoped(gpu, () => scale(multiply(x, x), 3));
    using seed = tensor(gpu, Float32Array.of(1, 1), [2]);
    const { live } = gpu.memory;
    const steps = gradientSteps(tape, [y], { seed: [seed], wanted: [x] });
    steps.next();
    steps.next();
    expect(gpu.memory.live).toBeGreaterThan(live);
    steps.return([]);
    expect(gpu.memory.live).toBe(live);
    for (const each of [x, y]) each.dispose();
  });
});
