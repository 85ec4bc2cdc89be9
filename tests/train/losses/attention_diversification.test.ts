import { read, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { attentionDiversification, layerDiversity } from "../../../packages/train/losses/attention_diversification.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu } from "../../helpers/gpu.ts";
import { cosineToMean } from "../../reference/cosine_to_mean.ts";

/** Eq. 22. */
function diversity(x: ArrayLike<number>, shape: readonly number[]): number {
  const cosines = cosineToMean(x, shape);
  return cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
}

test("attentionDiversification() is the mean over layers, whatever their sizes, with gradients", async () => {
  const shapes = { a: [2, 5, 7], b: [1, 11, 4], c: [3, 2, 3] } as const;
  await expectGradients(shapes, {
    op: ({ a, b, c }) => attentionDiversification([a!, b!, c!].map((layer) => layerDiversity(layer))),
    reference: ({ a, b, c }) => [(diversity(a!, shapes.a) + diversity(b!, shapes.b) + diversity(c!, shapes.c)) / 3],
  });
});

test("layerDiversity() is 1 for tokens that are all alike, and less for others", async () => {
  const alike = tensor(gpu, Float32Array.of(1, 2, 1, 2), [1, 2, 2]);
  const crossed = tensor(gpu, Float32Array.of(1, 0, 0, 1), [1, 2, 2]);
  const [one, less] = await read(layerDiversity(alike), layerDiversity(crossed));
  expect(one![0]).toBeCloseTo(1, 6);
  expect(less![0]).toBeCloseTo(Math.SQRT1_2, 6);
});

test("attentionDiversification() needs layers", () => {
  expect(() => attentionDiversification([])).toThrow("there must be layers: none given");
});
