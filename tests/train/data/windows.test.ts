import { read, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { cut, inLatents, randomWindow } from "../../../packages/train/data/windows.ts";
import { randomOf } from "../../../packages/train/random.ts";
import { gpu } from "../../helpers/gpu.ts";

test("windows lie inside at multiples of the step, both ends included; a crop as large as the picture is all of it", () => {
  const windows = Array.from(
    { length: 60 },
    (_, i) => randomWindow(30, { crop: 16, step: 4, random: randomOf(1, "window", i) })!,
  );
  for (const { height, width } of windows) expect([height, width]).toEqual([16, 16]);
  const tops = windows.map(({ top }) => top);
  expect([...new Set(tops)].sort((a, b) => a - b)).toEqual([0, 4, 8, 12]);
  expect(windows.some(({ top, left }) => top !== left)).toBe(true);
  for (const crop of [30, undefined]) {
    expect(randomWindow(30, { crop, step: 4, random: randomOf(1, "window", 0) })).toBeUndefined();
  }
});

test("cut() takes the part of every picture of a batch, and inLatents() the same part of latents", async () => {
  const [height, width, channels] = [6, 8, 2];
  using x = tensor(gpu, Float32Array.from({ length: 2 * height * width * channels }, (_, i) => i), [2, 6, 8, 2]);
  const window = inLatents({ top: 4, left: 8, height: 12, width: 16 }, 4)!;
  expect(window).toEqual({ top: 1, left: 2, height: 3, width: 4 });
  using part = cut(x, window);
  expect(part.shape).toEqual([2, 3, 4, 2]);
  const [values] = await read(part);
  const expected = [0, 1].flatMap((b) =>
    [1, 2, 3].flatMap((row) =>
      [2, 3, 4, 5].flatMap((column) => [0, 1].map((c) => ((b * height + row) * width + column) * channels + c))
    )
  );
  expect([...values!]).toEqual(expected);
  expect([cut(x, undefined), inLatents(undefined, 4)]).toEqual([x, undefined]);
});
