import { loadModel, type Picture, upscale } from "@fluxsr/core";
import { expect, test } from "vitest";
import { gpu } from "../helpers/gpu.ts";
import { STARTER } from "../helpers/starter.ts";

const OPTIONS = { scale: 4, colorFix: "none", compare: true } as const;

/** Slanted stripes, other ones in each channel, neither black nor white. */
function stripes(width: number, height: number): Picture {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return 128 + 60 * Math.sin(x * (0.6 + 0.2 * c) + y * 0.4);
  });
  return { width, height, depth: 8, rgb, grey: false, notes: [] };
}

test("upscale() adds what the step changes to the enlarged picture, if the model says so", async () => {
  using model = await loadModel(gpu, STARTER);
  const source = stripes(12, 8);
  const run = async (residual: boolean, strength: number) => {
    const settings = { ...model.settings, residual };
    const options = { ...OPTIONS, strength };
    const { picture, enlarged } = await upscale({ ...model, settings }, source, options);
    return { rgb: [...picture.rgb], enlarged: [...enlarged!.rgb] };
  };
  const nothing = await run(true, 0), all = await run(true, 1);
  expect(nothing.rgb).toEqual(nothing.enlarged);
  const [before, after] = [await run(false, 0), await run(false, 1)];
  let compared = 0;
  for (const [i, value] of all.rgb.entries()) {
    const sum = all.enlarged[i]! + after.rgb[i]! - before.rgb[i]!;
    // Three roundings; what is cut off at black and white is not compared.
    const isInside = [sum, after.rgb[i]!, before.rgb[i]!].every((each) => each > 2 && each < 253);
    if (!isInside) continue;
    compared++;
    expect(Math.abs(value - sum)).toBeLessThanOrEqual(2);
  }
  expect(compared).toBeGreaterThan(all.rgb.length / 2);
  expect(all.rgb).not.toEqual(after.rgb);
});
