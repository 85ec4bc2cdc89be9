import sharp from "sharp";
import { expect, test } from "vitest";
import type { Picture } from "../../../packages/core/image/picture.ts";
import { readImage } from "../../../packages/core/image/read_image.ts";
import { writeImage } from "../../../packages/core/image/write_image.ts";
import { folder, gradient, noise, raw, refusal, save, worst } from "./pictures.ts";

const WIDTH = 37;
const HEIGHT = 23;
const PIXELS = WIDTH * HEIGHT;

function picture(depth: 8 | 16, more: Partial<Picture> = {}): Picture {
  return { width: WIDTH, height: HEIGHT, depth, rgb: noise(depth, PIXELS * 3), grey: false, notes: [], ...more };
}

/** A smooth picture: lossy formats keep it. */
function smooth(more: Partial<Picture> = {}): Picture {
  return { width: 64, height: 48, depth: 8, rgb: gradient(64, 48), grey: false, notes: [], ...more };
}

/** EXIF with a copyright, as the reader gives it. */
async function someExif(): Promise<Uint8Array> {
  const file = await raw(gradient(8, 8), 8, 3)
    .withExif({ IFD0: { Copyright: "someone" } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  return (await readImage(await save("exif.jpg", file))).exif!;
}

for (const extension of ["png", "tif", "TIFF"]) {
  for (const depth of [8, 16] as const) {
    test(`writeImage() and readImage() keep ${depth} bits with alpha exactly in .${extension}`, async () => {
      for (const alpha of [undefined, noise(depth, PIXELS)]) {
        const original = picture(depth, alpha && { alpha });
        const path = `${folder}/exact_${depth}.${extension}`;
        const { bytes, notes } = await writeImage(path, original, { overwrite: true });
        expect([bytes, notes]).toEqual([(await Deno.stat(path)).size, []]);
        const back = await readImage(path);
        expect(back).toMatchObject({ width: WIDTH, height: HEIGHT, depth });
        expect(worst(back.rgb, original.rgb)).toBe(0);
        expect(worst(back.alpha ?? [], alpha ?? [])).toBe(0);
      }
    });
  }
}

for (const extension of ["jpg", "jpeg", "webp", "avif"]) {
  test(`writeImage() keeps a smooth picture in .${extension} within a few steps`, async () => {
    const path = `${folder}/lossy.${extension}`;
    expect((await writeImage(path, smooth())).notes).toEqual([]);
    expect(worst((await readImage(path)).rgb, gradient(64, 48))).toBeLessThan(8);
  });
}

test("writeImage() tags every format as sRGB", async () => {
  for (const extension of ["png", "jpg", "webp", "avif", "tif"]) {
    for (const depth of [8, 16] as const) {
      await writeImage(`${folder}/tag.${extension}`, picture(depth), { overwrite: true });
      const { icc } = await sharp(`${folder}/tag.${extension}`).metadata();
      expect(new TextDecoder("utf-16be").decode(icc!), extension).toContain("sRGB");
    }
  }
});

test("writeImage() keeps the EXIF block upright, and says where it cannot", async () => {
  const exif = await someExif();
  for (const extension of ["png", "jpg", "webp", "avif"]) {
    const path = `${folder}/exif.${extension}`;
    expect((await writeImage(path, smooth({ exif }), { overwrite: true })).notes).toEqual([]);
    const back = await readImage(path);
    expect([back.width, back.height], extension).toEqual([64, 48]);
    expect((await sharp(path).metadata()).orientation ?? 1, extension).toBe(1);
    expect(new TextDecoder("latin1").decode(back.exif), extension).toContain("someone");
  }
  const { notes } = await writeImage(`${folder}/exif.tif`, smooth({ exif }));
  expect(notes).toEqual(["EXIF: dropped, it cannot be written to TIFF"]);
});

test("writeImage() rounds 16 bits to the nearest of 8 for WebP, and says so", async () => {
  // 65280 / 257 = 254.01 and 65407 / 257 = 254.5: cutting off the low byte would give 255 for both.
  const rgb = Uint16Array.from({ length: 64 * 48 * 3 }, () => 65280);
  const { notes } = await writeImage(`${folder}/rounded.webp`, smooth({ depth: 16, rgb }));
  expect(notes).toEqual(["16-bit samples: rounded to 8 bits for WebP"]);
  const back = await readImage(`${folder}/rounded.webp`);
  expect([back.depth, worst(back.rgb, new Uint8Array(64 * 48 * 3).fill(254))]).toEqual([8, 0]);
});

test("writeImage() keeps alpha in WebP and AVIF, and drops it for JPEG with a note", async () => {
  const alpha = Uint8Array.from({ length: 64 * 48 }, (_, i) => i % 64 < 32 ? 255 : 100);
  for (const extension of ["webp", "avif"]) {
    expect((await writeImage(`${folder}/alpha.${extension}`, smooth({ alpha }))).notes).toEqual([]);
    expect(worst((await readImage(`${folder}/alpha.${extension}`)).alpha!, alpha), extension).toBeLessThan(16);
  }
  const { notes } = await writeImage(`${folder}/alpha.jpg`, smooth({ alpha }));
  expect(notes).toEqual(["alpha: dropped, JPEG has none"]);
  expect(worst((await readImage(`${folder}/alpha.jpg`)).rgb, gradient(64, 48))).toBeLessThan(8);
});

test("writeImage() writes a picture of one pixel", async () => {
  const one = picture(16, { width: 1, height: 1, rgb: Uint16Array.of(1, 2, 65535) });
  await writeImage(`${folder}/one.png`, one);
  expect([...(await readImage(`${folder}/one.png`)).rgb]).toEqual([1, 2, 65535]);
});

test("writeImage() refuses an unknown extension, and none", async () => {
  const known = "the name must end in one of .png .jpg .jpeg .webp .avif .tif .tiff";
  expect(await refusal(writeImage(`${folder}/a.bmp`, picture(8)))).toContain(`${known}: it ends in ".bmp"`);
  expect(await refusal(writeImage(`${folder}/png`, picture(8)))).toContain(`${known}: it ends in ""`);
});

test("writeImage() refuses sides above the format's limit", async () => {
  const wide = (width: number) => picture(8, { width, height: 1, rgb: new Uint8Array(width * 3) });
  for (const [extension, limit] of [["jpg", 65500], ["webp", 16383], ["avif", 16384]] as const) {
    const path = `${folder}/wide.${extension}`;
    expect(await refusal(writeImage(path, wide(limit + 1)))).toContain(`sides must be at most ${limit} pixels`);
    expect((await writeImage(path, wide(limit))).bytes).toBeGreaterThan(0);
  }
  expect((await writeImage(`${folder}/wide.png`, wide(70000))).bytes).toBeGreaterThan(0);
});

test("writeImage() refuses samples that do not fit the size", async () => {
  await expect(writeImage(`${folder}/odd.png`, picture(8, { width: 5 }))).rejects.toThrow(RangeError);
  await expect(writeImage(`${folder}/odd.png`, picture(8, { alpha: new Uint8Array(3) }))).rejects.toThrow(RangeError);
});

test("writeImage() replaces a file only when told to", async () => {
  const path = `${folder}/again.png`;
  await writeImage(path, picture(8));
  const before = await Deno.readFile(path);
  expect(await refusal(writeImage(path, smooth()))).toContain("the file must not exist yet");
  expect(await Deno.readFile(path)).toEqual(before);
  await writeImage(path, smooth(), { overwrite: true });
  expect((await readImage(path)).width).toBe(64);
});
