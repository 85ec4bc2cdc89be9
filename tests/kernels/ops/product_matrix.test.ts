/** Products and convolutions by matrix units, where Dawn offers some; elsewhere the kernels are compiled only. */
import { conv2d, Gpu, kernel, matmul } from "@fluxsr/kernels";
import { beforeEach, describe, expect, test } from "vitest";
import { tilingOf } from "../../../packages/kernels/ops/_product.ts";
import { matrixProduct } from "../../../packages/kernels/ops/_product_matrix.ts";
import { kernels } from "../../../packages/kernels/ops/matmul.ts";
import { NO_MATRICES, openDawnGpu, refusalByDawn } from "../../helpers/dawn.ts";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";
import { convReference } from "../../reference/conv2d.ts";
import { gelu } from "../../reference/activation.ts";
import { matmulReference } from "../../reference/matmul.ts";

/** Operands are off by 2^-11 of themselves: up to 4e-4 of the largest sum was seen on random values below 1. */
const F16 = 1e-3;

describe("a product by matrix units compiles in Dawn", () => {
  const { constants, sources } = kernels["matrix"]!;
  const op = sources.slice(0, -matrixProduct({ rows: 128, columns: 128, threads: 128 }).sources.length);

  test.each([[16, 16], [8, 16], [8, 8]])("for units of %i x %i", async (m, n) => {
    const product = matrixProduct({ rows: 8 * m, columns: 8 * n, threads: 128 });
    const spec = { ...kernels["matrix"]!, sources: [...op, ...product.sources] };
    expect(await refusalByDawn(kernel({ ...spec, constants: { ...constants, ...product.constants } }))).toBeUndefined();
  });
});

const dawn = await openDawnGpu({ matrices: true });
// The emulation of a software driver will do here.
const gpu = dawn && new Gpu(dawn.device, { ...dawn.adapter, software: false });
const hasMatrices = (gpu?.adapter.matrices.length ?? 0) > 0;

const SIZES = [[132, 36, 136], [67, 19, 35], [32, 70, 32]] as const;
const MODES = [[false, false], [false, true], [true, false], [true, true]] as const;

describe("by matrix units", () => {
  beforeEach(({ skip }) => skip(!hasMatrices, NO_MATRICES));

  test.each(SIZES.flatMap((size) => MODES.map((mode) => [...size, ...mode] as const)))(
    "matmul() of %i x %i x %i, transposeA %s, transposeB %s",
    async (m, k, n, transposeA, transposeB) => {
      const sizes = { m, k, n, batches: 2, transposeA, transposeB } as const;
      expect(tilingOf(gpu!, { op: "matmul", rows: m, columns: n, depth: k, ...sizes }).by).toBe("matrix");
      const a = randomTensor([2, ...(transposeA ? [k, m] : [m, k])], 1, gpu);
      const b = randomTensor([2, ...(transposeB ? [n, k] : [k, n])], 2, gpu);
      const [bias, addend] = [randomTensor([n], 3, gpu), randomTensor([2, m, n], 4, gpu)];
      const expected = matmulReference(a.data, b.data, sizes)
        .map((value, i) => gelu(0.5 * value + bias.data[i % n]! + addend.data[i]!));
      const epilogue = { alpha: 0.5, bias: bias.tensor, addend: addend.tensor, activation: "gelu" } as const;
      await expectClose(matmul(a.tensor, b.tensor, { transposeA, transposeB, ...epilogue }), expected, F16);
    },
  );

  test("an operand beyond the range of f16 becomes its largest, not infinite", async () => {
    const [a, b] = [randomTensor([32, 32], 1, gpu), randomTensor([32, 32], 2, gpu)];
    gpu!.write(a.tensor.buffer, a.data.fill(1e6));
    const expected = matmulReference(a.data.fill(65504), b.data, { m: 32, k: 32, n: 32, batches: 1 });
    await expectClose(matmul(a.tensor, b.tensor), expected, F16);
  });

  test("conv2d() with a stride", async () => {
    const [batches, height, width, channels, outputs, size] = [2, 9, 8, 24, 20, [3, 3]] as const;
    const geometry = { batches, height, width, channels, outputs, size, stride: 2, pad: { top: 1, left: 1 } };
    const x = randomTensor([batches, height, width, channels], 1, gpu);
    const weight = randomTensor([...size, channels, outputs], 2, gpu);
    await expectClose(
      conv2d(x.tensor, weight.tensor, { stride: 2, padding: 1 }),
      convReference(x.data, weight.data, { ...geometry, out: [5, 4] }),
      F16,
    );
  });
});
