import { escapeXml } from "../escape_xml.ts";

const STYLE = `
:root { color-scheme: light; }
body { max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; background: #fff; color: #222;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.15rem; }
p, figcaption, td.note { color: #666; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 1.25rem 0.3rem 0; border-bottom: 1px solid #e5e5e5; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0; overflow-x: auto; }
figure img, figure svg { max-width: 100%; height: auto; }
`;

/** A page of HTML without a script or a file beside it. @param sections HTML */
export function page(title: string, { intro, sections }: { intro: string; sections: readonly string[] }): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeXml(title)}</h1>
<p>${escapeXml(intro)}</p>
${sections.join("\n")}
</body>
</html>
`;
}

/** @param content HTML */
export function section(heading: string, content: string): string {
  return `<h2>${escapeXml(heading)}</h2>\n${content}`;
}

/** @param content HTML: a picture @param caption text */
export function figure(content: string, caption = ""): string {
  const note = caption && `\n<figcaption>${escapeXml(caption)}</figcaption>`;
  return `<figure>${content}${note}</figure>`;
}

/** A cell of a table, text. */
export interface Cell {
  readonly text: string;
  readonly kind?: "number" | "note";
}

/** A table with a heading over each column; none if `headings` is empty. */
export function table(headings: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const row = (cells: readonly Cell[], tag: "th" | "td") =>
    `<tr>${
      cells.map(({ text, kind }) => `<${tag}${kind ? ` class="${kind}"` : ""}>${escapeXml(text)}</${tag}>`).join("")
    }</tr>`;
  const head = headings.length > 0 ? [row(headings, "th")] : [];
  return `<table>\n${[...head, ...rows.map((cells) => row(cells, "td"))].join("\n")}\n</table>`;
}
