import { expect, test } from "vitest";
import { readImage } from "../../../packages/core/image/read_image.ts";
import { claimSize, folder, gradient, raw, refusal, save } from "./pictures.ts";

const picture = () => raw(gradient(120, 90), 120, 3);

test("readImage() refuses a file that is missing, also below a file", async () => {
  expect(await refusal(readImage(`${folder}/none.png`))).toContain("the file must exist");
  const file = await save("plain.txt", new Uint8Array([1]));
  expect(await refusal(readImage(`${file}/none.png`))).toContain("the file must exist");
});

test("readImage() refuses a folder", async () => {
  expect(await refusal(readImage(folder))).toContain("it is a folder");
});

test("readImage() refuses a file that cannot be read, with the reason", async () => {
  // A write-only switch of the kernel: not even root may read it.
  const message = await refusal(readImage("/proc/sys/vm/compact_memory"));
  expect(message).toMatch(/the file must be readable: .*denied/i);
});

test("readImage() refuses an empty file", async () => {
  expect(await refusal(readImage(await save("empty.png", new Uint8Array())))).toContain("it is empty");
});

test("readImage() refuses what is not an image", async () => {
  const text = new TextEncoder().encode("to whom it may concern");
  expect(await refusal(readImage(await save("letter.png", text)))).toContain("its first bytes are those of none");
});

for (
  const [name, head] of [
    ["SVG", '<?xml version="1.0"?>\n<!-- drawing -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ["BMP", "BM\x36\0\0\0"],
    ["HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
    ["JPEG XL", "\0\0\0\x0cJXL \r\n\x87\n"],
    ["JPEG 2000", "\0\0\0\x0cjP  \r\n\x87\n"],
    ["PDF", "%PDF-1.7"],
    ["Photoshop PSD", "8BPS\0\x01"],
  ] as const
) {
  test(`readImage() refuses ${name} by its name`, async () => {
    const path = await save("other.png", Uint8Array.from(head, (c) => c.charCodeAt(0)));
    expect(await refusal(readImage(path))).toContain(
      `the format must be one of PNG, JPEG, WebP, AVIF, TIFF, GIF: it is ${name}`,
    );
  });
}

test("readImage() refuses samples that are not integers", async () => {
  const file = await picture().toColourspace("lab").tiff({ compression: "none" }).toBuffer();
  expect(await refusal(readImage(await save("lab.tif", file)))).toContain('they are float in "lab"');
});

for (const format of ["jpeg", "png", "webp", "avif", "tiff", "gif"] as const) {
  test(`readImage() refuses a ${format} that is cut short anywhere`, async () => {
    const file = await picture().toFormat(format, format === "tiff" ? { compression: "deflate" } : {}).toBuffer();
    for (const part of [0.3, 0.6, 0.95]) {
      const path = await save(`cut.${format}`, file.subarray(0, file.length * part));
      expect(await refusal(readImage(path)), `${part}`).toMatch(/must be complete and undamaged: ./);
    }
  });
}

test("readImage() refuses a progressive JPEG that is cut short", async () => {
  const file = await picture().jpeg({ progressive: true }).toBuffer();
  const path = await save("cut.jpg", file.subarray(0, file.length * 0.9));
  expect(await refusal(readImage(path))).toContain("the JPEG must be complete and undamaged");
});

test("readImage() refuses a PNG with damaged data", async () => {
  const file = await picture().png().toBuffer();
  file.fill(0x55, file.length / 2, file.length / 2 + 40);
  expect(await refusal(readImage(await save("damaged.png", file)))).toContain("must be complete and undamaged");
});

test("readImage() refuses a decompression bomb by its header", async () => {
  const bomb = claimSize(await picture().png().toBuffer(), 20000, 20000);
  expect(await refusal(readImage(await save("bomb.png", bomb)))).toContain(
    "the picture must have at most 268435456 pixels: it has 20000 x 20000",
  );
});

test("readImage() obeys maxPixels to the pixel", async () => {
  const path = await save("limit.png", await picture().png().toBuffer());
  expect((await readImage(path, { maxPixels: 120 * 90 })).width).toBe(120);
  expect(await refusal(readImage(path, { maxPixels: 120 * 90 - 1 }))).toContain("it has 120 x 90");
});

test("readImage() refuses a picture without pixels", async () => {
  const png = claimSize(await picture().png().toBuffer(), 0, 90);
  expect(await refusal(readImage(await save("zero.png", png)))).toContain("must have at least one pixel");
  const jpeg = await picture().jpeg().toBuffer();
  const frame = jpeg.indexOf("\xff\xc0", 0, "latin1"); // marker, length (2), bits (1), height (2)
  jpeg.writeUInt16BE(0, frame + 5);
  expect(await refusal(readImage(await save("zero.jpg", jpeg)))).toContain("must have at least one pixel");
});
