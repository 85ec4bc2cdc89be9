import type { Rgb8 } from "@fluxsr/core";
import sharp from "sharp";
import { expect, test } from "vitest";
import { contactSheet } from "../../../packages/train/validation/sheet.ts";

function plain(width: number, height: number, color: readonly number[]): Rgb8 {
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => color[i % 3]!) };
}

const [RED, GREEN, BLUE] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]] as const;

/** Columns and rows, counted from the lower right corner, of a colour's first and last pixels. */
async function extent(png: Uint8Array, color: readonly number[]) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  const found = Array.from({ length: info.width * info.height }, (_, i) => i)
    .filter((i) => color.every((value, c) => data[i * 3 + c] === value));
  const columns = found.map((i) => info.width - i % info.width);
  const rows = found.map((i) => info.height - Math.floor(i / info.width));
  return { count: found.length, right: Math.min(...columns), bottom: Math.min(...rows), top: Math.max(...rows) };
}

test("contactSheet() places whole pictures in rows and columns", async () => {
  const rows = [[plain(64, 32, RED), plain(64, 32, GREEN)], [plain(40, 17, BLUE), plain(40, 17, GREEN)]];
  const png = await contactSheet(rows, { titles: ["first", "<second> & more"] });
  expect(await extent(png, RED)).toEqual({ count: 64 * 32, right: 6 + 64 + 6 + 1, bottom: 6 + 17 + 6 + 1, top: 61 });
  expect(await extent(png, BLUE)).toEqual({ count: 40 * 17, right: 6 + 64 + 6 + 25, bottom: 7, top: 6 + 17 });
  expect((await extent(png, GREEN)).count).toBe(64 * 32 + 40 * 17);
  const { width = 0, height = 0 } = await sharp(png).metadata();
  expect(width).toBe(3 * 6 + 2 * 64);
  expect([6, 26]).toContain(height - (32 + 6 + 17 + 6)); // room for titles where there is a font
});

test("contactSheet() gives the same bytes again", async () => {
  const rows = [[plain(31, 7, RED), plain(31, 7, BLUE), plain(31, 7, GREEN)]];
  const make = () => contactSheet(rows, { titles: ["a", "b", "c"] });
  expect(await make()).toEqual(await make());
});
