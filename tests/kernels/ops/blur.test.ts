import { atrousBlur } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import * as reference from "../../reference/picture.ts";

const SHAPES = [[1, 1, 1, 1], [2, 5, 7, 3], [2, 3, 11, 4], [1, 37, 17, 3]] as const;

describe.each(SHAPES.map((shape) => [shape]))("for shape %j", (shape) => {
  const x = randomTensor(shape);
  test.each([[1], [2], [3], [16], [1000]])("atrousBlur() matches the reference for dilation %i", async (dilation) => {
    await expectClose(atrousBlur(x.tensor, { dilation }), reference.atrousBlur(x.data, { shape, dilation }));
  });
  test.each([[1], [2], [3], [16]])("atrousBlur() has the gradient of central differences for %i", async (dilation) => {
    await expectGradients({ x: shape }, {
      op: ({ x }) => atrousBlur(x!, { dilation }),
      reference: ({ x }) => reference.atrousBlur(x!, { shape, dilation }),
    });
  });
});

test("atrousBlur() refuses a dilation that is not a positive whole number", () => {
  const x = randomTensor([1, 2, 2, 1]).tensor;
  expect(() => atrousBlur(x, { dilation: 0 })).toThrow("dilation must be a positive whole number: it is 0");
  expect(() => atrousBlur(randomTensor([2, 2]).tensor, { dilation: 1 })).toThrow("x must be [B, h, w, C]");
});
