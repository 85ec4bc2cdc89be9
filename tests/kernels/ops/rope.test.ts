import { rope } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/rope.ts";

const SHAPES = [[1, 1, 1, 2], [2, 7, 3, 10], [3, 5, 2, 64], [1, 13, 5, 128]] as const;

describe.each(SHAPES.map((shape) => [shape]))("rope() for shape %j", (shape) => {
  const [batches, length, , width] = shape;
  const x = randomTensor(shape, 1);

  test.each([["shared", 1], ["own", batches]])("matches the reference with %s tables", async (_, tables) => {
    const cos = randomTensor([tables, length, width / 2], 2);
    const sin = randomTensor([tables, length, width / 2], 3);
    await expectClose(
      rope(x.tensor, { cos: cos.tensor, sin: sin.tensor }),
      reference.rope(x.data, { shape, cos: cos.data, sin: sin.data }),
    );
    await expectGradients({ x: shape }, {
      op: ({ x }) => rope(x!, { cos: cos.tensor, sin: sin.tensor }),
      reference: ({ x }) => reference.rope(x!, { shape, cos: cos.data, sin: sin.data }),
    });
  });
});

test("rope() takes the rows of longer tables from `first` on", async () => {
  const shape = [2, 3, 2, 6] as const;
  const x = randomTensor(shape, 1);
  for (const tables of [1, 2]) {
    const [cos, sin] = [randomTensor([tables, 8, 3], 2), randomTensor([tables, 8, 3], 3)];
    const rows = (table: Float32Array) =>
      Float32Array.from({ length: tables * 9 }, (_, i) => table[Math.floor(i / 9) * 24 + 4 * 3 + i % 9]!);
    await expectClose(
      rope(x.tensor, { cos: cos.tensor, sin: sin.tensor, first: 4 }),
      reference.rope(x.data, { shape, cos: rows(cos.data), sin: rows(sin.data) }),
    );
  }
});

test("rope() refuses an odd width and tables of another length", () => {
  const tables = randomTensor([1, 3, 2]).tensor;
  expect(() => rope(randomTensor([1, 3, 1, 5]).tensor, { cos: tables, sin: tables })).toThrow("D must be even");
  expect(() => rope(randomTensor([2, 4, 1, 4]).tensor, { cos: tables, sin: tables })).toThrow(
    "cos must be [1, 4, 2]: it is [1, 3, 2]",
  );
});
