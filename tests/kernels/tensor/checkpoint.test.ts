import {
  add,
  checkpoint,
  gradients,
  matmul,
  multiply,
  read,
  scale,
  scoped,
  Tape,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";
import { expect, test, vi } from "vitest";
import { F32, gpu, random, scaledError } from "../../helpers/gpu.ts";

const SHAPE = [5, 5];

/** Two parts of a network in a row, of which the first has two outputs, one of them unused if `narrow`. */
function network([x, w, frozen]: readonly [Tensor, Tensor, Tensor], { narrow = false } = {}): Tensor {
  return scoped(gpu, () => {
    const [a, b] = checkpoint("first", [x, frozen], () =>
      scoped(gpu, () => {
        const h = matmul(x, w);
        return [multiply(h, h), add(multiply(h, frozen), frozen)];
      })) as [Tensor, Tensor];
    const [y] = checkpoint("second", [a, b], () => [matmul(multiply(a, narrow ? a : b), w)]) as [Tensor];
    return add(y, scale(a, 0.5));
  });
}

/** Gradients of x and w, and the bytes that the tape held before. */
async function run(options: { recompute: boolean; narrow?: boolean; watch?: readonly number[] }) {
  const live = gpu.memory.live;
  const inputs = [1, 2, 3].map((seed) => tensor(gpu, random(SHAPE, seed), SHAPE)) as [Tensor, Tensor, Tensor];
  const wanted = (options.watch ?? [0, 1]).map((i) => inputs[i]!);
  const before = gpu.memory.live;
  const tape = new Tape(gpu, options);
  for (const each of wanted) tape.watch(each);
  const y = network(inputs, options);
  const held = gpu.memory.live - before;
  const grads = gradients(tape, y, { seed: inputs[2], wanted });
  tape.close();
  const values = await read(y, ...grads);
  for (const each of [...inputs, y, ...grads]) each.dispose();
  expect(gpu.memory.live).toBe(live);
  return { values, held, ops: tape.nodes.length };
}

test.each([
  ["of two outputs", {}],
  ["of two outputs of which one is not used", { narrow: true }],
  ["of an input alone", { watch: [0] }],
  ["of a weight alone, which is used in both parts", { watch: [1] }],
])("a checkpoint gives the same gradient %s, in less memory", async (_, options) => {
  const kept = await run({ recompute: false, ...options });
  const recomputed = await run({ recompute: true, ...options });
  // Parts of a sum may be added in another order.
  kept.values.forEach((values, i) => expect(scaledError(recomputed.values[i]!, values)).toBeLessThan(F32));
  expect(recomputed.held).toBeLessThan(kept.held);
});

test("a checkpoint runs once without a tape, and is not recorded if nothing in it is tracked", () => {
  scoped(gpu, () => {
    const x = tensor(gpu, random([3]), [3]);
    const body = vi.fn(() => [scale(x, 2)]);
    checkpoint("part", [x], body);
    expect(body).toHaveBeenCalledTimes(1);
    using tape = new Tape(gpu, { recompute: true });
    checkpoint("part", [x], body);
    expect(tape.nodes.length).toBe(0);
  });
});
