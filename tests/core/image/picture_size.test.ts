import sharp from "sharp";
import { expect, test } from "vitest";
import { pictureSize } from "../../../packages/core/image/picture_size.ts";
import { folder, gradient, save } from "./pictures.ts";

test("pictureSize() is that of the upright picture", async () => {
  const picture = () => sharp(gradient(6, 4), { raw: { width: 6, height: 4, channels: 3 } });
  const plain = await save("plain.png", await picture().png().toBuffer());
  expect(await pictureSize(plain)).toMatchObject({ width: 6, height: 4 });
  const turned = await save("turned.jpg", await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer());
  expect(await pictureSize(turned)).toMatchObject({ width: 4, height: 6 });
});

test("pictureSize() refuses what is no picture as readImage() does", async () => {
  await expect(pictureSize(`${folder}/none.png`)).rejects.toThrow("the file must exist");
});
