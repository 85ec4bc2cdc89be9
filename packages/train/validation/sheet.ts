import { Buffer } from "node:buffer";
import type { Rgb8 } from "@fluxsr/core";
import sharp from "sharp";
import { escapeXml } from "../escape_xml.ts";

const GAP = 6;
const TITLE_HEIGHT = 26;
const LARGEST_LETTERS = 16;
/** How wide letters are on average, in heights: more than in common fonts, so that titles do not touch. */
const LETTER_WIDTH = 0.62;

/**
 * A picture of pictures, a column for each way to make them and a row for each subject, on white; the titles stand above
 * the columns, unless the system has no font to write them in.
 *
 * @param rows pictures of one height in each row; columns are as wide as their widest picture
 * @returns PNG, 8-bit RGB
 */
export async function contactSheet(
  rows: readonly (readonly Rgb8[])[],
  { titles }: { titles: readonly string[] },
): Promise<Uint8Array<ArrayBuffer>> {
  const widths = titles.map((_, column) => Math.max(0, ...rows.map((row) => row[column]?.width ?? 0)));
  const heights = rows.map((row) => Math.max(0, ...row.map(({ height }) => height)));
  const top = await hasFont() ? TITLE_HEIGHT : GAP;
  const [lefts, width] = places(widths, GAP);
  const [tops, height] = places(heights, top);
  const pictures = rows.flatMap((row, r) =>
    row.map(({ rgb, width, height }, column) => ({
      input: Buffer.from(rgb),
      raw: { width, height, channels: 3 as const },
      left: lefts[column] ?? 0,
      top: tops[r] ?? 0,
    }))
  );
  const header = { input: titleStrip(titles, { lefts, widths, width }), left: 0, top: 0 };
  const png = await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite(top === TITLE_HEIGHT ? [header, ...pictures] : pictures).removeAlpha().png().toBuffer();
  return new Uint8Array(png);
}

/** Where things of these sizes begin one after another, and where the last one and its gap end. */
function places(sizes: readonly number[], start: number): [number[], number] {
  let at = start;
  const starts = sizes.map((size) => (at += size + GAP) - size - GAP);
  return [starts, at];
}

function titleStrip(
  titles: readonly string[],
  { lefts, widths, width }: { lefts: readonly number[]; widths: readonly number[]; width: number },
): Buffer {
  const fitting = titles.map((title, column) => (widths[column] ?? 0) / Math.max(1, title.length) / LETTER_WIDTH);
  const size = Math.min(LARGEST_LETTERS, ...fitting);
  const texts = titles.map((title, column) => {
    const middle = (lefts[column] ?? 0) + (widths[column] ?? 0) / 2;
    return `<text x="${middle}" y="${TITLE_HEIGHT - 9}">${escapeXml(title)}</text>`;
  });
  const style = `font-family="sans-serif" font-size="${size}" text-anchor="middle" fill="#222"`;
  return svg(width, TITLE_HEIGHT, `<g ${style}>${texts.join("")}</g>`);
}

/** Whether text can be drawn: without a font, all letters are the same box, or nothing. */
async function hasFont(): Promise<boolean> {
  const [narrow, wide] = await Promise.all(
    ["i", "W"].map((letter) =>
      sharp(svg(32, 32, `<text x="4" y="24" font-family="sans-serif" font-size="20">${letter}</text>`)).raw().toBuffer()
    ),
  );
  return narrow !== undefined && wide !== undefined && !narrow.equals(wide);
}

function svg(width: number, height: number, content: string): Buffer {
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`;
  return Buffer.from(text);
}
