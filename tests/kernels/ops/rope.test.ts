import { rope } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import * as reference from "../../reference/rope.ts";

/** [B, L, H, D]: a pair, heads that are read by pairs, by fours and by sixteens. */
const SHAPES = [[1, 1, 1, 2], [2, 7, 3, 10], [2, 5, 3, 12], [3, 5, 2, 64], [1, 13, 5, 128]] as const;
const WAYS = [["its own", gpu], ["hardware's", hardwareGpu()]] as const;

describe.each(SHAPES.flatMap((shape) => WAYS.map(([way, on]) => [shape, way, on] as const)))(
  "rope() for shape %j in %s way",
  (shape, _, on) => {
    const [batches, length, , width] = shape;
    const x = randomTensor(shape, 1, on);

    test.each([["shared", 1], ["own", batches]])("matches the reference with %s tables", async (_, tables) => {
      const cos = randomTensor([tables, length, width / 2], 2, on);
      const sin = randomTensor([tables, length, width / 2], 3, on);
      await expectClose(
        rope(x.tensor, { cos: cos.tensor, sin: sin.tensor }),
        reference.rope(x.data, { shape, cos: cos.data, sin: sin.data }),
      );
      await expectGradients({ x: shape }, {
        op: ({ x }) => rope(x!, { cos: cos.tensor, sin: sin.tensor }),
        reference: ({ x }) => reference.rope(x!, { shape, cos: cos.data, sin: sin.data }),
        on,
      });
    });
  },
);

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
