import type { TextFolder, TokenizedText } from "./text_folder.ts";

/** What the user should know of texts that are longer than an encoder takes, a line for each encoder that cuts some. */
export function cutNotices(
  texts: readonly TokenizedText[],
  { clip, max }: Pick<TextFolder, "clip"> & { max: number },
): string[] {
  const limits = { clip: clip.config.max_position_embeddings, t5: max };
  return (["clip", "t5"] as const).flatMap((encoder) => {
    const first = texts.findIndex((text) => text[encoder].isCut);
    if (first < 0) return [];
    const count = texts.filter((text) => text[encoder].isCut).length;
    const which = texts.length === 1
      ? "the text is cut"
      : `${count} of ${texts.length} are cut, text ${first + 1} first`;
    return [`${encoder === "clip" ? "CLIP" : "T5"} takes ${limits[encoder]} tokens: ${which}`];
  });
}
