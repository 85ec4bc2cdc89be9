import { tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { toPictures } from "../../../packages/train/data/pixels.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

test("toPictures() rounds to the nearest byte, clamped, each picture of a batch apart", async () => {
  const values = [-1, 1, 0, -3, 3, -1 + 2 / 255, 0.5, 1 - 0.9 / 255, 1 - 1.1 / 255, -0.2, 0.2, -0.7];
  using x = tensor(gpu, Float32Array.from(values), [2, 1, 2, 3]);
  expect(await toPictures(x)).toEqual([
    { width: 2, height: 1, rgb: Uint8Array.of(0, 255, 128, 0, 255, 1) },
    { width: 2, height: 1, rgb: Uint8Array.of(191, 255, 254, 102, 153, 38) },
  ]);
});

test("toPictures() at once, of many sizes, each have their own", async () => {
  const sizes = Array.from({ length: 40 }, (_, i) => ({ height: 1 + 37 * i % 101, width: 1 + 53 * i % 97 }));
  const pictures = await Promise.all(sizes.map(async ({ height, width }, i) => {
    using x = randomTensor([1, height, width, 3], i).tensor;
    return (await toPictures(x))[0]!;
  }));
  expect(pictures.map(({ rgb, ...size }) => ({ ...size, length: rgb.length }))).toEqual(
    sizes.map((size) => ({ ...size, length: 3 * size.height * size.width })),
  );
});
