import { candidateTilings, classOf, Gpu, type ProductShape, Tuning } from "@fluxsr/kernels";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyTuning, saveTuning, tuningFile } from "../../packages/cli/_tuning.ts";
import { gpu } from "../helpers/gpu.ts";

const CHOICES = { "matmul.nn 64x64x64": { by: "shared", rows: 64, columns: 64, splits: 2 } } as const;

let folder: string;
const before = Deno.env.get("XDG_CACHE_HOME");
const other = () => new Gpu(gpu.device, { ...gpu.adapter, description: "Some GPU (rev. 2)/x" });

beforeEach(async () => {
  folder = await Deno.makeTempDir();
  Deno.env.set("XDG_CACHE_HOME", folder);
});

afterEach(async () => {
  if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
  else Deno.env.set("XDG_CACHE_HOME", before);
  await Deno.remove(folder, { recursive: true });
});

test("what was tuned is kept by adapter and applied again", async () => {
  const tuned = other();
  tuned.tuning = new Tuning(CHOICES);
  expect(await saveTuning(tuned)).toBe(`${folder}/fluxsr/tuning/some-gpu-rev.-2-x.json`);
  const again = other();
  await applyTuning(again);
  expect(again.tuning.toJSON()).toEqual(CHOICES);
});

test("every way that is tried may be kept", async () => {
  const on = other();
  const shapes: ProductShape[] =
    (["matmul", "conv2d", "conv2d_3x3", "conv2d_narrow", "conv2d_weight", "conv2d_weight_3x3"] as const)
      .flatMap((op) =>
        [[1, 3072], [4, 100], [1024, 960]].flatMap(([rows = 0, depth = 0]) =>
          [false, true].map((transposeA) => ({ op, rows, columns: 192, depth, batches: 1, transposeA }))
        )
      );
  for (const shape of shapes) {
    for (const tiling of candidateTilings(on.adapter, shape)) {
      on.tuning = new Tuning({ [classOf(shape)]: tiling });
      await saveTuning(on);
      on.tuning = new Tuning();
      await applyTuning(on);
      expect(on.tuning.product(shape)).toEqual(tiling);
    }
  }
});

test("without a file the GPU stays as it is", async () => {
  const on = other();
  const { tuning } = on;
  await applyTuning(on);
  expect(on.tuning).toBe(tuning);
});

/** A file that chooses one way for one class. */
function choice(name: string, by: string, [rows, columns, splits]: readonly [number, number, number]): string {
  return JSON.stringify({ [name]: { by, rows, columns, splits } });
}

test.each([
  ["{", "JSON"],
  ['{"matmul.nn 1x1x1": {"by": "magic"}}', "Invalid option"],
  [choice("product 64x64x64", "shared", [64, 64, 1]), 'at "product 64x64x64": Invalid'],
  [
    choice("matmul.nn 64x64x64", "shared", [7, 5, 1]),
    '"matmul.nn 64x64x64" cannot be computed by shared 7x5 in 1 part',
  ],
  [choice("matmul.nn 64x64x64", "shared", [64, 64, 3]), "shared 64x64 in 3 parts"],
  [choice("matmul.tn 64x64x64", "few", [4, 65536, 1]), "few 4x65536"],
  [choice("conv2d.nn 64x64x64", "shared", [64, 64, 2]), "shared 64x64 in 2 parts"],
  [choice("matmul.tn 64x64x64", "lanes", [8, 32, 1]), "lanes 8x32"], // a transposed A has four rows a lane
])(
  "a file that says %s is refused in one line, with what to do",
  async (text, reason) => {
    const on = other();
    await saveTuning(on);
    await Deno.writeTextFile(tuningFile(on.adapter), text);
    const refused = applyTuning(on);
    await expect(refused).rejects.toThrow(`Cannot read tuning "${tuningFile(on.adapter)}": it must be what`);
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining("--tune") });
  },
);
