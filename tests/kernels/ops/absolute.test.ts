import { absolute, gradients, read, Tape, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

/** One element, a prime, a workgroup and one more, batch 2 and non-square. */
test.each([[[1]], [[7]], [[65]], [[2, 3, 31, 5]]])("absolute() and its gradient for shape %j", async (shape) => {
  await expectGradients({ x: shape }, {
    op: ({ x }) => absolute(x!),
    reference: ({ x }) => Float64Array.from(x!, Math.abs),
  });
});

test("absolute() has the derivative 0 at 0", async () => {
  const x = tensor(gpu, Float32Array.of(0, -0, -2, 3), [4]);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = absolute(x);
  const seed = randomTensor([4]);
  const [dx] = await read(...gradients(tape, y, { seed: seed.tensor, wanted: [x] }));
  expect([...dx!].map(Math.abs)).toEqual([0, 0, Math.abs(seed.data[2]!), Math.abs(seed.data[3]!)]);
});
