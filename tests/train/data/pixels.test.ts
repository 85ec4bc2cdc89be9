import { tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { toPictures } from "../../../packages/train/data/pixels.ts";
import { gpu } from "../../helpers/gpu.ts";

test("toPictures() rounds to the nearest byte, clamped, each picture of a batch apart", async () => {
  const values = [-1, 1, 0, -3, 3, -1 + 2 / 255, 0.5, 1 - 0.9 / 255, 1 - 1.1 / 255, -0.2, 0.2, -0.7];
  using x = tensor(gpu, Float32Array.from(values), [2, 1, 2, 3]);
  expect(await toPictures(x)).toEqual([
    { width: 2, height: 1, rgb: Uint8Array.of(0, 255, 128, 0, 255, 1) },
    { width: 2, height: 1, rgb: Uint8Array.of(191, 255, 254, 102, 153, 38) },
  ]);
});

test("toPictures() at once, of many sizes, each have their own sides and values", async () => {
  const wanted = Array.from({ length: 40 }, (_, i) => {
    const [height, width] = [1 + 37 * i % 101, 1 + 53 * i % 97];
    return { height, width, rgb: new Uint8Array(3 * height * width).fill(6 * i) };
  });
  const pictures = await Promise.all(wanted.map(async ({ height, width, rgb }) => {
    using x = tensor(gpu, Float32Array.from(rgb, (byte) => 2 * byte / 255 - 1), [1, height, width, 3]);
    return (await toPictures(x))[0]!;
  }));
  expect(pictures).toEqual(wanted);
});
