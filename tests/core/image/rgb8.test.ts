import { read } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { cut, toRgb8, toTensor } from "../../../packages/core/image/rgb8.ts";
import { gpu } from "../../helpers/gpu.ts";
import { painted } from "../metrics/_picture.ts";

test("toRgb8() rounds 16 bits, and keeps 8 as they are", () => {
  const rgb = Uint16Array.of(0, 128, 129, 257, 65_535, 65_535 - 129);
  expect(toRgb8({ width: 2, height: 1, rgb })).toEqual({
    width: 2,
    height: 1,
    rgb: Uint8Array.of(0, 0, 1, 1, 255, 254),
  });
  const bytes = Uint8Array.of(1, 2, 3);
  expect(toRgb8({ width: 1, height: 1, rgb: bytes }).rgb).toBe(bytes);
});

test("cut() takes a part", () => {
  const place = (dx: number, dy: number) => (x: number, y: number, channel: number) => [x + dx, y + dy, 7][channel]!;
  expect(cut(painted(7, 5, place(0, 0)), { left: 2, top: 1, width: 4, height: 3 })).toEqual(painted(4, 3, place(2, 1)));
});

test("toTensor() maps 0..255 to [-1, 1]", async () => {
  using x = toTensor(gpu, { width: 1, height: 2, rgb: Uint8Array.of(0, 255, 51, 0, 0, 0) });
  expect(x.shape).toEqual([1, 2, 1, 3]);
  const [values] = await read(x);
  expect([...values!]).toEqual([-1, 1, expect.closeTo(-0.6, 6), -1, -1, -1]);
});
