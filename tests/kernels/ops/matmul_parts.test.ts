import { matmul } from "@fluxsr/kernels";
import { expect, test, vi } from "vitest";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { gelu } from "../../reference/activation.ts";
import { matmulReference } from "../../reference/matmul.ts";

const on = hardwareGpu({ by: "shared", rows: 64, splits: 4 });

/** [batches, m, k, n]: odd and aligned, parts that are not equally long. */
const SIZES = [[2, 9, 523, 6], [1, 5, 572, 8]] as const;

test.each(SIZES)("matmul() of %i of %i x %i x %i adds up parts of K, then activates", async (batches, m, k, n) => {
  const dispatches = vi.spyOn(on, "run");
  const [a, b] = [randomTensor([batches, m, k], 1, on), randomTensor([batches, k, n], 2, on)];
  const [bias, addend] = [randomTensor([n], 3, on), randomTensor([batches, m, n], 4, on)];
  const epilogue = { alpha: 0.5, bias: bias.tensor, addend: addend.tensor, activation: "gelu" } as const;
  const y = matmul(a.tensor, b.tensor, epilogue);
  const expected = matmulReference(a.data, b.data, { m, k, n, batches })
    .map((value, i) => gelu(0.5 * value + bias.data[i % n]! + addend.data[i]!));
  await expectClose(y, expected);
  const [product, sum] = dispatches.mock.calls;
  expect(product?.[1].groups).toEqual([1, 1, 4 * batches]);
  expect(sum?.[0].name).toBe("matmul.parts");
  dispatches.mockRestore();
});

test("matmul() adds up parts of K, then adds the gated sum to a residual", async () => {
  const [batches, m, k, n] = [2, 3, 544, 8];
  const [a, w] = [randomTensor([batches, m, k], 1, on), randomTensor([n, k], 2, on)];
  const [to, gate] = [randomTensor([batches, m, n], 3, on), randomTensor([batches, n], 4, on)];
  const y = matmul(a.tensor, w.tensor, { transposeB: true, residual: { to: to.tensor, gate: gate.tensor } });
  const product = matmulReference(a.data, w.data, { m: batches * m, k, n, transposeB: true });
  const expected = product.map((each, i) => to.data[i]! + gate.data[Math.floor(i / (m * n)) * n + i % n]! * each);
  await expectClose(y, expected);
});

test("matmul() on hardware divides K where the tiles are too few to fill it", async () => {
  const rule = hardwareGpu();
  const [m, k, n] = [16, 1100, 8];
  const [a, b] = [randomTensor([m, k], 1, rule), randomTensor([k, n], 2, rule)];
  const dispatches = vi.spyOn(rule, "run");
  await expectClose(matmul(a.tensor, b.tensor), matmulReference(a.data, b.data, { m, k, n }));
  expect(dispatches.mock.calls.map(([{ name }]) => name)).toEqual(["matmul.forward.nn", "matmul.parts"]);
});
