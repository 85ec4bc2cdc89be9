import { attention, conv2d, DryGpu, empty, type Gpu, gradients, matmul, openGpu, scoped, Tape } from "@fluxsr/kernels";
import { expect, test } from "vitest";

/** A little of everything, forward and backward. */
function work(gpu: Gpu): void {
  scoped(gpu, () => {
    const x = empty(gpu, [2, 7, 9, 4]);
    const weight = empty(gpu, [3, 3, 4, 8]);
    using tape = new Tape(gpu);
    tape.watch(weight);
    const heads = scoped(gpu, () => conv2d(x, weight, { padding: 1 }));
    const y = attention(heads, heads, heads);
    gradients(tape, y, { seed: y, wanted: [weight] });
  });
}

test("a dry GPU counts the memory that a real one takes", async () => {
  using gpu = await openGpu();
  using dry = new DryGpu();
  const start = { gpu: gpu.memory.peak, dry: dry.memory.peak };
  work(gpu);
  work(dry);
  await gpu.sync();
  expect(dry.memory.peak - start.dry).toBe(gpu.memory.peak - start.gpu);
  expect(dry.memory.live).toBe(0);
});

test("a dry GPU counts multiply-adds twice", () => {
  using dry = new DryGpu();
  scoped(dry, () => {
    matmul(empty(dry, [3, 5, 7]), empty(dry, [7, 11]));
    expect(dry.flops).toBe(2 * 15 * 7 * 11);
    conv2d(empty(dry, [2, 5, 6, 3]), empty(dry, [3, 3, 3, 4]), { padding: 1 });
    expect(dry.flops).toBe(2 * 15 * 7 * 11 + 2 * 2 * 30 * 27 * 4);
    const q = empty(dry, [2, 6, 3, 8]);
    attention(q, q, q);
    expect(dry.flops).toBe(2 * 15 * 7 * 11 + 2 * 2 * 30 * 27 * 4 + 4 * 2 * 3 * 36 * 8);
  });
  expect(dry.dispatches).toBe(4); // the weight of a convolution to few channels is turned first
});
