import { evaluate, findPairs, loadDists, loadLpips, loadModel, type Rgb8 } from "@fluxsr/core";
import { bicubicResize, clamp, read, scoped, tensor } from "@fluxsr/kernels";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { tinyModel } from "../../e2e/_tiny_model.ts";
import { gpu } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { gradient, worst } from "../image/pictures.ts";
import { WIDTHS } from "../perceptual/_narrow.ts";

/** A picture of a gradient whose ends depend on `turn`. */
function picture(width: number, height: number, turn = 0): Rgb8 {
  const rgb = gradient(width, height).map((value, i) => i % 3 === turn ? 255 - value : value);
  return { width, height, rgb: new Uint8Array(rgb) };
}

async function save(path: string, { width, height, rgb }: Rgb8): Promise<void> {
  await sharp(rgb, { raw: { width, height, channels: 3 } }).png().toFile(path);
}

/** Twice as large, 0..255. */
async function bicubicValues({ width, height, rgb }: Rgb8): Promise<Float32Array> {
  using larger = scoped(gpu, () => {
    const x = tensor(gpu, Float32Array.from(rgb), [1, height, width, 3]);
    return clamp(bicubicResize(x, { height: 2 * height, width: 2 * width }), 0, 255);
  });
  const [values] = await read(larger);
  return values!;
}

test("evaluate() judges the model, bicubic, Lanczos and others' pictures", async () => {
  const folder = temporaryFolder();
  for (const name of ["LR", "GT", "model"]) await Deno.mkdir(join(folder, name));
  await tinyModel(join(folder, "model"));
  await save(join(folder, "LR", "a.png"), picture(12, 9));
  await save(join(folder, "GT", "a.png"), picture(24, 18));
  await save(join(folder, "LR", "b.png"), picture(10, 11, 1));
  await save(join(folder, "GT", "b.png"), picture(20, 22, 1));
  const pairs = await findPairs(folder);
  using model = await loadModel(gpu, join(folder, "model"));
  const [lpips, dists] = [await loadLpips(gpu, { widths: WIDTHS }), await loadDists(gpu, { widths: WIDTHS })];
  const before = gpu.memory.live;
  const also = new Map([["perfect", pairs.pairs.map(({ truth }) => truth)]]);
  const networks = { gpu, lpips, dists };
  const options = { networks, cropBorder: 1, also, seed: 3 };
  const run = () => Array.fromAsync(evaluate(model, pairs, options));
  const results = await run();

  expect(results.map(({ name }) => name)).toEqual(["a", "b"]);
  for (const { figures, pictures } of results) {
    expect([...figures.keys()]).toEqual(["model", "bicubic", "lanczos", "perfect"]);
    expect(figures.get("perfect")).toMatchObject({ psnr_y: Infinity, lpips: 0, color: 0 });
    // The picture is smooth: classic enlargement is nearly right, a model of random weights is not.
    for (const method of ["bicubic", "lanczos"]) expect(figures.get(method)!.psnr_y).toBeGreaterThan(30);
    expect(figures.get("model")!.psnr_y).toBeLessThan(figures.get("bicubic")!.psnr_y);
    expect(pictures.get("lanczos")).not.toEqual(pictures.get("bicubic"));
  }

  const values = await bicubicValues(picture(12, 9));
  const bicubic = results[0]!.pictures.get("bicubic")!;
  expect([bicubic.width, bicubic.height]).toEqual([24, 18]);
  expect(worst(bicubic.rgb, values)).toBeLessThan(0.51);

  expect(await run()).toEqual(results);
  const [gentle] = await Array.fromAsync(evaluate(model, pairs, { ...options, strength: 0 }));
  expect(gentle!.pictures.get("model")).not.toEqual(results[0]!.pictures.get("model"));
  expect(gpu.memory.live).toBe(before);
  for (const network of [lpips, dists]) network.dispose();
});
