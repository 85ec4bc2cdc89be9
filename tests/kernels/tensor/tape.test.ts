import {
  absolute,
  add,
  affine,
  atrousBlur,
  bicubicResize,
  clamp,
  exp,
  maxPool,
  mean,
  multiply,
  record,
  rmsNorm,
  rope,
  type RopeTables,
  scale,
  scoped,
  softmax,
  split,
  Tape,
  type Tensor,
  tensor,
  totalVariation,
} from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { tracked } from "../../../packages/kernels/tensor/tape.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

test("records only what depends on a watched tensor, in order", () => {
  scoped(gpu, () => {
    const x = randomTensor([4], 1).tensor;
    const frozen = randomTensor([4], 2).tensor;
    using tape = new Tape(gpu);
    tape.watch(x);
    const y = multiply(x, frozen);
    const unrelated = add(frozen, frozen);
    clamp(y, 0, 1);
    expect(tape.nodes.map(({ op }) => op)).toEqual(["multiply", "clamp"]);
    expect([x, y, frozen, unrelated].map(tracked)).toEqual([true, true, false, false]);
  });
});

test("records nothing before it is opened, after stop() and after close()", () => {
  scoped(gpu, () => {
    const x = randomTensor([4]).tensor;
    scale(x, 2);
    const tape = new Tape(gpu);
    tape.watch(x);
    scale(x, 2);
    tape.stop();
    scale(x, 2);
    expect(tape.nodes.length).toBe(1);
    expect(tracked(x)).toBe(false);
    tape.close();
    expect(tape.nodes.length).toBe(0);
    scale(x, 2);
    expect(tape.nodes.length).toBe(0);
  });
});

test("keeps the values that gradients need until it is closed, and no others", () => {
  const before = gpu.memory.live;
  const x = randomTensor([64]).tensor;
  const tape = new Tape(gpu);
  tape.watch(x);
  const [first, second] = [affine(x, { scale: 2 }), affine(x, { scale: 3 })];
  const product = multiply(first, second);
  for (const each of [x, first, second, product]) each.dispose();
  expect(gpu.memory.live).toBe(before + 2 * 256);
  expect(tape.nodes[2]?.inputs.every(({ buffer }) => buffer)).toBe(true);
  expect(() => tape.nodes[2]?.outputs[0]?.buffer).toThrow("it was disposed");
  tape.close();
  tape.close();
  expect(gpu.memory.live).toBe(before);
});

/** What is kept of `x [1, 8, 8, 4]` or its like: ops, and how many tensors of that size their gradients read. */
const KEPT: readonly [string, number, (x: Tensor, others: { row: Tensor; tables: RopeTables }) => Tensor | Tensor[]][] =
  [
    ["absolute", 1, absolute],
    ["atrousBlur", 0, (x) => atrousBlur(x, { dilation: 1 })],
    ["bicubicResize", 0, (x) => bicubicResize(x, { height: 8, width: 8 })],
    ["clamp", 1, (x) => clamp(x, 0, 1)],
    ["exp", 1, (x) => exp(x)],
    ["maxPool", 1, maxPool],
    ["mean", 0, mean],
    ["rmsNorm", 1, (x, { row }) => rmsNorm(x, { scale: row })],
    ["rope", 0, (x, { tables }) => rope(x, tables)],
    ["softmax", 1, (x, { row }) => softmax(x, { bias: row })],
    ["split", 0, (x) => split(x, 3, [2, 2])],
    ["totalVariation", 1, totalVariation],
  ];

test.each(KEPT)("%s keeps %i of its input and output for the gradient", (_name, count, op) => {
  using row = randomTensor([4]).tensor;
  using table = randomTensor([1, 8, 2]).tensor;
  const others = { row, tables: { cos: table, sin: table } };
  const before = gpu.memory.live;
  using tape = new Tape(gpu);
  const x = randomTensor([1, 8, 8, 4]).tensor;
  tape.watch(x);
  for (const each of [x, op(x, others)].flat()) each.dispose();
  expect(tape.nodes.length).toBeGreaterThan(0);
  expect(gpu.memory.live).toBe(before + count * 1024);
});

test("only one can be open on a GPU", () => {
  using tape = new Tape(gpu);
  expect(() => new Tape(gpu)).toThrow("Cannot open a tape: one is open on this GPU already");
  tape.close();
  using _next = new Tape(gpu);
});

test("record() hands the output through", () => {
  using x = tensor(gpu, new Float32Array(1), [1]);
  using y = tensor(gpu, new Float32Array(1), [1]);
  expect(record("op", y, { inputs: [x] })).toBe(y);
});
