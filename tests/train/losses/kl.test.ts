import { gradients, read, Tape, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { klDivergence } from "../../../packages/train/losses/kl.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu } from "../../helpers/gpu.ts";

test.each([[[1]], [[2, 3, 5, 7]]])("klDivergence() matches the formula for shape %j", async (shape) => {
  await expectGradients({ mu: shape, logvar: shape }, {
    op: ({ mu, logvar }) => klDivergence(mu!, logvar!),
    reference: ({ mu, logvar }) => {
      const terms = Array.from(mu!, (value, i) => (value ** 2 + Math.exp(logvar![i]!) - 1 - logvar![i]!) / 2);
      return [terms.reduce((sum, term) => sum + term, 0) / terms.length];
    },
  });
});

test("klDivergence() is 0, and so is its gradient, for the standard normal distribution", async () => {
  const [mu, logvar] = [0, 0].map(() => tensor(gpu, new Float32Array(6), [2, 3]));
  using tape = new Tape(gpu);
  tape.watch(mu!);
  tape.watch(logvar!);
  const loss = klDivergence(mu!, logvar!);
  const seed = tensor(gpu, Float32Array.of(1), [1]);
  const all = await read(loss, ...gradients(tape, loss, { seed, wanted: [mu!, logvar!] }));
  expect(all.flatMap((values) => [...values].map(Math.abs))).toEqual(new Array(13).fill(0));
});
