/**
 * `photos.ts FILES LIST OUT`: scales the photographs that LIST names, one `set package path [name [side]]` a line, to
 * sides of at most 1024 pixels or that of the line, as JPEG of quality 93. Larger pictures are often soft when looked at
 * pixel by pixel, which is what those lines are for that are of 2048.
 */
import { basename, extname, join } from "node:path";
import sharp from "sharp";

const [files, list, out] = Deno.args as [string, string, string];

for (const line of (await Deno.readTextFile(list)).trim().split("\n")) {
  const [set, , path, name = basename(path!, extname(path!)), side = "1024"] = line.split(/\s+/);
  const folder = join(out, set!);
  await Deno.mkdir(folder, { recursive: true });
  await sharp(join(files, path!)).rotate().resize({
    width: Number(side),
    height: Number(side),
    fit: "inside",
    withoutEnlargement: true,
    kernel: "lanczos3",
  }).flatten().toColourspace("srgb").jpeg({ quality: 93 }).toFile(join(folder, `${name}.jpg`));
}
