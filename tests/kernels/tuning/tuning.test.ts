import { candidateTilings, classOf, Gpu, matmul, type ProductShape, type Tiling, Tuning } from "@fluxsr/kernels";
import { expect, test, vi } from "vitest";
import { tilingOf } from "../../../packages/kernels/ops/_product.ts";
import { tilingByRule } from "../../../packages/kernels/tuning/rules.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";

const SHAPE: ProductShape = { op: "matmul", rows: 1000, columns: 700, depth: 200, batches: 1, transposeB: true };
const SMALL: Tiling = { by: "shared", rows: 64, columns: 64, splits: 2 };

test("classOf() rounds sizes to powers of two, and counts batches as rows and segments as steps", () => {
  expect(classOf(SHAPE)).toBe("matmul.nt 1024x512x256");
  expect(classOf({ ...SHAPE, op: "conv2d", rows: 500, batches: 2, depth: 20, segments: 9, transposeB: false })).toBe(
    "conv2d.nn 1024x512x128",
  );
  expect(classOf({ ...SHAPE, rows: 1, columns: 1, depth: 1, transposeA: true })).toBe("matmul.tt 1x1x1");
});

test("Tuning knows the class of a shape that was set, also from JSON, and nothing else", () => {
  const tuning = new Tuning();
  expect(tuning.product(SHAPE)).toBeUndefined();
  tuning.set(SHAPE, SMALL);
  const again = new Tuning(JSON.parse(JSON.stringify(tuning)));
  expect(again.product({ ...SHAPE, rows: 1024 })).toEqual(SMALL);
  expect(again.product({ ...SHAPE, rows: 100 })).toBeUndefined();
  expect(again.product({ ...SHAPE, transposeB: false })).toBeUndefined();
});

test("a GPU computes as it is tuned, and by the rules else", async () => {
  const on = new Gpu(gpu.device, gpu.adapter);
  const [a, b] = [randomTensor([40, 300], 1, on), randomTensor([300, 30], 2, on)];
  const run = vi.spyOn(on, "run");
  matmul(a.tensor, b.tensor);
  on.tuning = new Tuning();
  on.tuning.set({ op: "matmul", rows: 40, columns: 30, depth: 300, batches: 1 }, SMALL);
  matmul(a.tensor, b.tensor);
  expect(run.mock.calls.map(([{ name }]) => name)).toEqual(["matmul.forward.nn", "matmul.forward.nn", "matmul.parts"]);
  await on.sync();
});

/** What the rules suggest where subgroups do not have 8 lanes. */
test.each(
  [
    [{ op: "matmul", rows: 4096, columns: 3072, depth: 3072, batches: 1 }, "shared 128x128 / 1"],
    [{ op: "matmul", rows: 512, columns: 3072, depth: 300, batches: 1 }, "shared 64x64 / 1"],
    [{ op: "matmul", rows: 4096, columns: 16, depth: 3072, batches: 1 }, "shared 64x64 / 4"],
    [{ op: "matmul", rows: 1, columns: 18432, depth: 3072, batches: 1, transposeB: true }, "few 4x4 / 1"],
    [{ op: "matmul", rows: 4, columns: 3072, depth: 3072, batches: 1 }, "few 4x32 / 1"],
    [
      { op: "conv2d_narrow", rows: 3, columns: 2 ** 20, depth: 128, segments: 9, batches: 1, transposeB: true },
      "few 4x32 / 1",
    ],
    [{ op: "conv2d", rows: 1024, columns: 64, depth: 512, segments: 9, batches: 1 }, "shared 64x64 / 1"],
  ] as const,
)("on hardware %j is %s", (shape, expected) => {
  const { by, rows, columns, splits } = tilingOf(hardwareGpu(), shape);
  expect(`${by} ${rows}x${columns} / ${splits}`).toBe(expected);
});

/** What the rules suggest where subgroups have 8 lanes. */
test.each(
  [
    [{ op: "matmul", rows: 4, columns: 3072, depth: 3072, batches: 1 }, "lanes 8x32 / 1"],
    [{ op: "matmul", rows: 4, columns: 64, depth: 1400, batches: 1, transposeA: true }, "lanes 32x32 / 1"],
    [{ op: "matmul", rows: 192, columns: 576, depth: 4096, batches: 1, transposeA: true }, "lanes 32x32 / 4"],
    [{ op: "matmul", rows: 192, columns: 576, depth: 1e6, batches: 1, transposeA: true }, "lanes 32x32 / 16"],
    [{ op: "matmul", rows: 3072, columns: 3072, depth: 4096, batches: 1, transposeA: true }, "lanes 32x32 / 3"],
    [{ op: "conv2d_weight", rows: 36, columns: 64, depth: 1e6, batches: 1, transposeA: true }, "lanes 32x32 / 1"],
  ] as const,
)("on llvmpipe %j is %s", (shape, expected) => {
  const { by, rows, columns, splits } = tilingByRule({ ...gpu.adapter, subgroups: { min: 8, max: 8 } }, shape);
  expect(`${by} ${rows}x${columns} / ${splits}`).toBe(expected);
});

/** As above, for a GPU whose threads have half the registers. */
test.each(
  [
    [{ op: "matmul", rows: 4096, columns: 3072, depth: 3072, batches: 1 }, "shared 64x128 / 1"],
    [{ op: "matmul", rows: 512, columns: 1024, depth: 300, batches: 1 }, "shared 32x64 / 1"],
    [{ op: "matmul", rows: 4096, columns: 16, depth: 3072, batches: 1 }, "shared 32x64 / 2"],
    [{ op: "conv2d", rows: 1024, columns: 64, depth: 512, segments: 9, batches: 1 }, "shared 32x64 / 1"],
  ] as const,
)("on Intel's %j is %s", (shape, expected) => {
  for (const vendor of ["32902", "intel"]) {
    const { by, rows, columns, splits } = tilingOf(hardwareGpu(undefined, { vendor }), shape);
    expect(`${by} ${rows}x${columns} / ${splits}`).toBe(expected);
  }
});

test("what the rules suggest is among the candidates", () => {
  for (const on of [gpu, hardwareGpu(), hardwareGpu(undefined, { vendor: "intel" })]) {
    for (const rows of [1, 12, 4096]) {
      for (const transposeA of [false, true]) {
        for (const depth of [SHAPE.depth, 4096]) {
          const shape = { ...SHAPE, rows, depth, transposeA };
          expect(candidateTilings(on.adapter, shape)).toContainEqual(tilingOf(on, shape));
        }
      }
    }
  }
});
