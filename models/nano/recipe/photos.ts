/**
 * `photos.ts FILES LIST OUT`: scales the photographs that LIST names, one `set package path [name]` a line, to sides of
 * at most 1024 pixels, as JPEG of quality 93. Larger pictures are often soft when looked at pixel by pixel.
 */
import { basename, extname, join } from "node:path";
import sharp from "sharp";

const SIDE = 1024;
const [files, list, out] = Deno.args as [string, string, string];

for (const line of (await Deno.readTextFile(list)).trim().split("\n")) {
  const [set, , path, name = basename(path!, extname(path!))] = line.split(/\s+/) as [string, string, string, string?];
  const picture = sharp(join(files, path)).rotate();
  const folder = join(out, set);
  await Deno.mkdir(folder, { recursive: true });
  await picture.resize({
    width: SIDE,
    height: SIDE,
    fit: "inside",
    withoutEnlargement: true,
    kernel: "lanczos3",
  }).flatten().toColourspace("srgb").jpeg({ quality: 93 }).toFile(join(folder, `${name}.jpg`));
}
