import sharp from "sharp";
import { expect, test } from "vitest";
import { readImage } from "../../../packages/core/image/read_image.ts";
import { gradient, noise, raw, save, worst } from "./pictures.ts";

const WIDTH = 37;
const HEIGHT = 23;
const PIXELS = WIDTH * HEIGHT;

for (const format of ["png", "tiff"] as const) {
  const lossless = format === "png" ? {} : { compression: "deflate" };
  for (const depth of [8, 16] as const) {
    for (const channels of [1, 2, 3, 4] as const) {
      test(`readImage() returns ${channels} channels of ${depth} bits in ${format} exactly`, async () => {
        const samples = noise(depth, PIXELS * channels);
        const file = await raw(samples, WIDTH, channels).toFormat(format, lossless).toBuffer();
        const picture = await readImage(await save(`exact.${format}`, file));

        const colours = channels < 3 ? [0, 0, 0] : [0, 1, 2];
        const rgb = Array.from({ length: PIXELS }, (_, i) => colours.map((c) => samples[i * channels + c]!)).flat();
        expect(picture).toMatchObject({ width: WIDTH, height: HEIGHT, depth, grey: channels < 3, notes: [] });
        expect(worst(picture.rgb, rgb)).toBe(0);
        if (channels % 2 === 1) expect(picture.alpha).toBeUndefined();
        else expect(worst(picture.alpha!, samples.filter((_, i) => i % channels === channels - 1))).toBe(0);
      });
    }
  }
}

test("readImage() reads JPEG, WebP, AVIF and GIF", async () => {
  const rgb = gradient(64, 48);
  for (const format of ["jpeg", "webp", "avif", "gif"] as const) {
    const picture = await readImage(await save(`lossy.${format}`, await raw(rgb, 64, 3).toFormat(format).toBuffer()));
    expect(picture, format).toMatchObject({ width: 64, height: 48, depth: 8, grey: false, notes: [] });
    expect(worst(picture.rgb, rgb), format).toBeLessThan(24);
  }
});

test("readImage() reads 10-bit AVIF as 16 bits", async () => {
  const samples = Uint16Array.from(gradient(64, 48), (v) => v * 257);
  const file = await raw(samples, 64, 3).avif({ bitdepth: 10, quality: 100, chromaSubsampling: "4:4:4" }).toBuffer();
  const picture = await readImage(await save("ten.avif", file));
  expect(picture.depth).toBe(16);
  expect(worst(picture.rgb, samples)).toBeLessThan(512);
});

test("readImage() goes by the content, not by the extension", async () => {
  const path = await save("really_a_png.jpg", await raw(noise(8, PIXELS * 3), WIDTH, 3).png().toBuffer());
  expect(worst((await readImage(path)).rgb, noise(8, PIXELS * 3))).toBe(0);
});

for (const format of ["jpeg", "png", "webp", "avif", "tiff"] as const) {
  test(`readImage() turns a ${format} upright and resets its EXIF orientation`, async () => {
    const file = await raw(gradient(64, 48), 64, 3)
      .withExif({ IFD0: { Copyright: "someone" } })
      .withMetadata({ orientation: 6 })
      .toFormat(format, format === "tiff" ? { compression: "deflate" } : {})
      .toBuffer();
    const picture = await readImage(await save(`turned.${format}`, file));
    const { data, info } = await raw(gradient(64, 48), 64, 3).rotate(90).raw().toBuffer({ resolveWithObject: true });
    expect([picture.width, picture.height]).toEqual([info.width, info.height]);
    expect(picture.notes).toEqual([]);
    expect(worst(picture.rgb, data)).toBeLessThan(24);

    if (format === "tiff") return; // libvips reads no EXIF from TIFF
    const exif = new TextDecoder("latin1").decode(picture.exif);
    expect(exif).toMatch(/^(II\*\0|MM\0\*)/);
    expect(exif).toContain("someone");
    expect(exif).toContain("\x12\x01\x03\0\x01\0\0\0\x01"); // tag 0x0112, one short: 1
  });
}

test("readImage() converts an embedded colour profile to sRGB, in 8 and 16 bits", async () => {
  const red = [234, 51, 35]; // in Display P3 this is sRGB (255, 0, 0)
  for (const depth of [8, 16] as const) {
    const one = depth === 16 ? 257 : 1;
    const samples = depth === 16 ? Uint16Array.from(red, (v) => v * one) : Uint8Array.from(red);
    // Tagging converts sRGB samples (8 bits), or takes them for P3 (16 bits): so start from what gives `red`.
    const file = depth === 8
      ? await raw(Uint8Array.of(255, 0, 0), 1, 3).withIccProfile("p3").png().toBuffer()
      : await raw(samples, 1, 3).withIccProfile("p3").png().toBuffer();
    const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
    expect(worst(stored, red)).toBeLessThan(3);
    const picture = await readImage(await save("p3.png", file));
    expect(picture.depth).toBe(depth);
    // libvips goes through an interpolated table, see _srgb_profile.ts: saturated colours move a little.
    expect(worst(picture.rgb, [255 * one, 0, 0])).toBeLessThan(8 * one);
  }
});

test("readImage() returns files tagged sRGB exactly", async () => {
  const samples = noise(8, PIXELS * 3);
  const file = await raw(samples, WIDTH, 3).withIccProfile("srgb").png().toBuffer();
  expect(worst((await readImage(await save("srgb.png", file))).rgb, samples)).toBe(0);
});

test("readImage() converts CMYK, with a profile or without", async () => {
  const colours = [255, 255, 255, 128, 128, 128, 180, 90, 80, 80, 120, 90, 90, 90, 150, 30, 30, 30];
  const pixels = Uint8Array.from({ length: 6 * 16 * 16 * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % 96;
    return colours[Math.floor(x / 16) * 3 + i % 3]!;
  });
  for (const profile of [true, false]) {
    const cmyk = raw(pixels, 96, 3).toColourspace("cmyk").jpeg({ quality: 100 });
    const picture = await readImage(
      await save("cmyk.jpg", await (profile ? cmyk.withIccProfile("cmyk") : cmyk).toBuffer()),
    );
    expect(picture).toMatchObject({ width: 96, height: 16, depth: 8, grey: false });
    const centres = colours.map((_, i) => picture.rgb[(8 * 96 + Math.floor(i / 3) * 16 + 8) * 3 + i % 3]!);
    expect(worst(centres, colours)).toBeLessThan(profile ? 24 : 40);
  }
});

test("readImage() uses the first frame of an animation and says so", async () => {
  const frames = Uint8Array.from({ length: 16 * 16 * 3 * 3 }, (_, i) => [200, 100, 50][Math.floor(i / (16 * 16 * 3))]!);
  const animation = sharp(frames, { raw: { width: 16, height: 48, channels: 3, pageHeight: 16 } });
  for (const format of ["webp", "gif"] as const) {
    const file = await animation.clone().toFormat(format, { delay: [100, 100, 100], loop: 0 }).toBuffer();
    const picture = await readImage(await save(`animated.${format}`, file));
    expect(picture).toMatchObject({ width: 16, height: 16, notes: ["animated: used frame 1 of 3"] });
    expect(worst(picture.rgb, new Uint8Array(16 * 16 * 3).fill(200))).toBeLessThan(4);
  }
});

test("readImage() drops an EXIF block that is damaged, and says so", async () => {
  const jpeg = await raw(gradient(8, 8), 8, 3).jpeg().toBuffer();
  const block = new TextEncoder().encode("Exif\0\0II*\0 no directory here");
  const segment = Uint8Array.of(0xff, 0xe1, 0, block.length + 2, ...block);
  const file = Uint8Array.of(...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2));
  const picture = await readImage(await save("bad_exif.jpg", file));
  expect(picture.exif).toBeUndefined();
  expect(picture.notes).toEqual(["EXIF: dropped, it is damaged"]);
});
