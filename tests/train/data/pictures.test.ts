import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { crop, openPictures } from "../../../packages/train/data/pictures.ts";
import { randomOf } from "../../../packages/train/random.ts";

const root = Deno.makeTempDirSync({ prefix: "fluxsr-pictures-" });
afterAll(() => Deno.removeSync(root, { recursive: true }));

/** Pixels that tell where they are: red the column, green the row, blue `mark`. */
function pixels(width: number, height: number, mark: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [pixel % width, Math.floor(pixel / width), mark][i % 3]!;
  });
}

interface Made {
  readonly width: number;
  readonly height: number;
  readonly mark: number;
  readonly orientation?: number;
}

/** A folder with PNG files of these sizes. */
async function folderWith(pictures: Readonly<Record<string, Made>>): Promise<string> {
  const folder = Deno.makeTempDirSync({ dir: root });
  for (const [name, { width, height, mark, orientation }] of Object.entries(pictures)) {
    const image = sharp(pixels(width, height, mark), { raw: { width, height, channels: 3 } });
    if (orientation) image.withMetadata({ orientation });
    await image.png().toFile(`${folder}/${name}`);
  }
  return folder;
}

const silent = () => {};

describe("openPictures()", () => {
  test("has the pictures of files and folders in order, without other files and subfolders", async () => {
    const folder = await folderWith({
      "b.png": { width: 20, height: 12, mark: 2 },
      "a.PNG": { width: 12, height: 20, mark: 1 },
      ".hidden.png": { width: 20, height: 20, mark: 9 },
    });
    const other = await folderWith({ "z.png": { width: 13, height: 13, mark: 3 } });
    await Deno.writeTextFile(`${folder}/README.md`, "text");
    await Deno.mkdir(`${folder}/sub.png`);
    const pictures = await openPictures([`${other}/z.png`, folder], { size: 12, notice: silent });
    expect(pictures.count).toBe(3);
    const all = await Promise.all([0, 1, 2].map((i) => pictures.picture(i)));
    expect(all.map(({ name }) => name)).toEqual([`${other}/z.png`, `${folder}/a.PNG`, `${folder}/b.png`]);
    expect(all.map(({ rgb }) => rgb[2])).toEqual([3, 1, 2]);
    expect(all[2]!.rgb).toEqual(pixels(20, 12, 2));
  });

  test("leaves out pictures that are smaller than the crop, upright, with a notice", async () => {
    const folder = await folderWith({
      "large.png": { width: 16, height: 16, mark: 1 },
      "low.png": { width: 99, height: 15, mark: 2 },
      "turned.png": { width: 15, height: 99, mark: 3, orientation: 6 },
    });
    const notices: string[] = [];
    const pictures = await openPictures([folder], { size: 16, notice: (text) => notices.push(text) });
    expect(pictures.count).toBe(1);
    expect(notices).toEqual([
      `left out ${folder}/low.png: it has 99 x 15 pixels, crops have 16 x 16`,
      `left out ${folder}/turned.png: it has 99 x 15 pixels, crops have 16 x 16`,
    ]);
    await expect(openPictures([folder], { size: 17, notice: silent })).rejects.toThrow(
      `Cannot use the pictures of "${folder}": one must have 17 x 17 pixels: none has`,
    );
  });

  test("refuses what cannot be read, by its name", async () => {
    const folder = await folderWith({ "a.png": { width: 16, height: 16, mark: 1 } });
    await Deno.writeTextFile(`${folder}/b.jpg`, "no picture");
    await expect(openPictures([folder], { size: 8, notice: silent })).rejects.toThrow(
      `Cannot read "${folder}/b.jpg": the file must be an image`,
    );
    await expect(openPictures([`${folder}/none.png`], { size: 8, notice: silent })).rejects.toThrow(
      `Cannot read "${folder}/none.png": the file must exist`,
    );
    const empty = Deno.makeTempDirSync({ dir: root });
    await expect(openPictures([empty], { size: 8, notice: silent })).rejects.toThrow(
      `Cannot read "${empty}": the folder must hold a picture (.png .jpg`,
    );
  });

  test("reads a picture once while it is kept, and pictures of 16 bits in 8", async () => {
    const folder = await folderWith({ "a.png": { width: 16, height: 16, mark: 1 } });
    const wide = Uint16Array.of(0, 128, 129, 65535, 65407, 65406, 257 * 7, 257 * 7 + 128, 257 * 7 + 129);
    await sharp(wide, { raw: { width: 3, height: 1, channels: 3 } }).toColourspace("rgb16").png()
      .toFile(`${folder}/b.png`);
    const pictures = await openPictures([folder], { size: 1, notice: silent });
    const first = await pictures.picture(0);
    expect([...(await pictures.picture(1)).rgb]).toEqual([0, 0, 1, 255, 255, 254, 7, 7, 8]);
    await Deno.remove(`${folder}/a.png`);
    expect(await pictures.picture(0)).toBe(first);
  });
});

test("crop() is a square of the picture, all places alike", () => {
  const picture = { width: 9, height: 7, rgb: pixels(9, 7, 5) };
  const corners = new Map<string, number>();
  for (let i = 0; i < 1200; i++) {
    const { width, height, rgb } = crop(picture, 5, randomOf(1, i));
    expect([width, height, rgb.length]).toEqual([5, 5, 75]);
    const [left = 0, top = 0] = rgb;
    const expected = pixels(5, 5, 5).map((value, k) => value + [left, top, 0][k % 3]!);
    expect(rgb).toEqual(expected);
    corners.set(`${left},${top}`, (corners.get(`${left},${top}`) ?? 0) + 1);
  }
  expect(corners.size).toBe(15);
  // 80 expected of each.
  expect(Math.min(...corners.values())).toBeGreaterThan(40);
  expect(crop(picture, 7, randomOf(1)).rgb).toHaveLength(147);
});
