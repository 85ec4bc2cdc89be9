import { loadLpips, tvLpips } from "@fluxsr/core";
import { gradients, read, scoped, Tape } from "@fluxsr/kernels";
import { afterAll, describe, expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import * as reference from "../../reference/perceptual.ts";
import { narrowWeights, WIDTHS } from "./_narrow.ts";

const lpips = await loadLpips(gpu, { widths: WIDTHS });
const weights = await narrowWeights();
afterAll(() => lpips.dispose());

/** The smallest picture; batch 2, not square, a row or column left out by every pooling. */
const SHAPES = [[1, 16, 16, 3], [2, 31, 23, 3]];

/** Central differences go across the kinks of ReLU and pooling. */
const KINKS = 1e-3;

describe("Lpips", () => {
  test.each(SHAPES.map((shape) => [shape]))("and its gradient match plain loops for shape %j", async (shape) => {
    const second = randomTensor(shape, 50);
    const kernels = await expectGradients({ first: shape }, {
      op: ({ first }) => lpips.forward(first!, second.tensor),
      reference: ({ first }) => reference.lpips([first!, second.data], { shape, weights }),
    }, KINKS);
    const counts = Object.groupBy(kernels["first"]!, (name) => name);
    expect(counts["conv2d.backward_x"], "one pass back through the trunk").toHaveLength(13);
    expect(counts["feature_distance.backward"]).toHaveLength(5);
    expect(Object.keys(counts)).not.toContain("conv2d.backward_weight");
  });

  test("takes features that were computed before, and tells the share of each tap", async () => {
    const [first, second] = [1, 2].map((seed) => randomTensor([2, 16, 19, 3], seed).tensor);
    const features = [first, second].map((image) => lpips.features(image!));
    expect(features[0]!.map(({ shape }) => shape)).toEqual([
      [2, 16, 19, WIDTHS[0]],
      [2, 8, 9, WIDTHS[1]],
      [2, 4, 4, WIDTHS[2]],
      [2, 2, 2, WIDTHS[3]],
      [2, 1, 1, WIDTHS[4]],
    ]);
    const distance = lpips.distance(features[0]!, features[1]!);
    const [whole, again, ...parts] = await read(
      distance,
      lpips.forward(first!, second!),
      ...lpips.tapDistances(features[0]!, features[1]!),
    );
    expect(whole).toEqual(again);
    expect(parts).toHaveLength(5);
    await expectClose(distance, [0, 1].map((b) => parts.reduce((sum, part) => sum + part[b]!, 0)));
  });

  test("of equal pictures is 0", async () => {
    const image = randomTensor([2, 17, 16, 3]).tensor;
    expect(await read(lpips.forward(image, image))).toEqual([new Float32Array(2)]);
  });

  test("has the same gradient, bit by bit, on a tape that computes again", async () => {
    const [first, second, seed] = [[1, 16, 18, 3], [1, 16, 18, 3], [1]].map((shape) => randomTensor(shape).tensor);
    const [kept, again] = [false, true].map((recompute) => {
      using tape = new Tape(gpu, { recompute });
      tape.watch(first!);
      return gradients(tape, lpips.forward(first!, second!), { seed: seed!, wanted: [first!] })[0]!;
    });
    const [a, b] = await read(kept!, again!);
    expect(a).toEqual(b);
  });

  test("frees what it needs on the way", () => {
    const [first, second] = [1, 2].map((seed) => randomTensor([1, 64, 64, 3], seed).tensor);
    const before = gpu.memory.live;
    scoped(gpu, () => void lpips.forward(first!, second!));
    expect(gpu.memory.live).toBe(before);
  });

  test("refuses pictures that are too small", () => {
    const image = randomTensor([1, 15, 16, 3]).tensor;
    expect(() => lpips.forward(image, image)).toThrow("x must have at least 2x2 pixels: it is [1, 1, 2, 2]");
  });
});

test("tvLpips() adds the distance of total variations, and so does its gradient", async () => {
  const [shape, gamma] = [[2, 17, 16, 3], 0.7];
  const second = randomTensor(shape, 50);
  const plain = (images: [ArrayLike<number>, ArrayLike<number>]) => reference.lpips(images, { shape, weights });
  await expectGradients({ first: shape }, {
    op: ({ first }) => tvLpips(first!, second.tensor, { lpips, gamma }),
    reference: ({ first }) => {
      const edges = plain([reference.totalVariation(first!, shape), reference.totalVariation(second.data, shape)]);
      return plain([first!, second.data]).map((value, b) => value + gamma * edges[b]!);
    },
  }, KINKS);
});
