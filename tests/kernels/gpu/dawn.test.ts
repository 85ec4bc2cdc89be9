/** Kernels on Dawn: another WGSL compiler, stricter about uniform control flow than Deno's. */
import { attention, conv2d, groupNorm, kernel, matmul, openDawn, openGpu, read } from "@fluxsr/kernels";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { NO_DAWN, openDawnGpu } from "../../helpers/dawn.ts";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import { attentionReference } from "../../reference/attention.ts";
import { convReference } from "../../reference/conv2d.ts";
import { gelu } from "../../reference/activation.ts";
import { matmulReference } from "../../reference/matmul.ts";
import * as norm from "../../reference/norm.ts";
import subgroups from "./subgroups.wgsl" with { type: "text" };
import undeclared from "./undeclared.wgsl" with { type: "text" };

const dawn = await openDawnGpu();

afterAll(() => dawn?.destroy());

describe("Dawn computes", () => {
  beforeEach(({ skip }) => skip(!dawn, NO_DAWN));
  const random = (shape: readonly number[], seed: number) => randomTensor(shape, seed, dawn);

  test.each([[67, 19, 35], [5, 68, 132]])("matmul() of %i x %i x %i", async (m, k, n) => {
    const [a, b, bias] = [random([2, m, k], 1), random([n, k], 2), random([n], 3)];
    const size = { m: 2 * m, k, n, batches: 1, transposeA: false, transposeB: true };
    const expected = matmulReference(a.data, b.data, size).map((value, i) => gelu(value + bias.data[i % n]!));
    await expectClose(
      matmul(a.tensor, b.tensor, { transposeB: true, bias: bias.tensor, activation: "gelu" }),
      expected,
    );
  });

  test.each([[2, 18, 21]])(
    "conv2d() with stride %i of %i to %i channels",
    async (stride, channels, outputs) => {
      const [batches, height, width, size] = [2, 9, 8, [3, 3]] as const;
      const out = [Math.ceil(height / stride), Math.ceil(width / stride)] as const;
      const x = random([batches, height, width, channels], 1);
      const weight = random([...size, channels, outputs], 2);
      const geometry = { batches, height, width, channels, outputs, size, stride, pad: { top: 1, left: 1 }, out };
      await expectClose(
        conv2d(x.tensor, weight.tensor, { stride, padding: 1 }),
        convReference(x.data, weight.data, geometry),
      );
    },
  );

  test.each([[37, 70, 40]])(
    "attention() of %i queries, %i keys, heads of %i",
    async (queries, keys, width) => {
      const [batches, heads] = [2, 3];
      const q = random([batches, queries, heads, width], 1);
      const [k, v] = [random([batches, keys, heads, width], 2), random([batches, keys, heads, width], 3)];
      const expected = attentionReference({ q: q.data, k: k.data, v: v.data }, {
        batches,
        queries,
        keys,
        heads,
        width,
      });
      await expectClose(attention(q.tensor, k.tensor, v.tensor), expected);
    },
  );

  test("groupNorm()", async () => {
    const [x, weight, bias] = [random([2, 5, 13, 6], 1), random([6], 2), random([6], 3)];
    const size = { batches: 2, pixels: 65, channels: 6, groups: 3 };
    await expectClose(
      groupNorm(x.tensor, { groups: 3, weight: weight.tensor, bias: bias.tensor, silu: true }),
      norm.groupNorm(x.data, { ...size, weight: weight.data, bias: bias.data, activate: true }),
    );
  });

  test("subgroup built-ins, which it wants enabled", async () => {
    const x = random([64], 1);
    const spec = {
      name: "subgroups",
      sources: [subgroups],
      entry: "forward",
      binds: { x: "read", y: "write" },
    } as const;
    const y = random([64], 2);
    dawn!.run(kernel({ ...spec, features: ["subgroups"] }), {
      buffers: [x.tensor.buffer, y.tensor.buffer],
      params: {},
      groups: [1, 1, 1],
    });
    const { min = 0 } = dawn!.adapter.subgroups ?? {};
    const sums = Array.from(
      { length: 64 },
      (_, i) => x.data.slice(i - i % min, i - i % min + min).reduce((sum, value) => sum + value),
    );
    await expectClose(y.tensor, sums);
  });
});

test("a compile error on Dawn names the line of the WGSL, whatever was enabled above it", async () => {
  using gpu = await openGpu({ provider: await openDawn({ flags: ["backend=null"] }) });
  using y = randomTensor([1], 1, gpu).tensor;
  const spec = { name: "undeclared", sources: ["// one\n// two", undeclared], entry: "forward" } as const;
  gpu.run(kernel({ ...spec, binds: { y: "write" }, features: ["shader-f16", "subgroups"] }), {
    buffers: [y.buffer],
    params: {},
    groups: [1, 1, 1],
  });
  await expect(read(y)).rejects.toThrow(
    /^Cannot compile kernel "undeclared": line 9:10: .*undeclared.*: y\[0\] = undeclared \+ 1\.0;$/,
  );
});
