import { byteSize, type PlannedBlocks, type UpscalePlan } from "@fluxsr/core";

/** A card that the model is tried on. */
export interface CardPlan {
  /** Its memory. */
  readonly bytes: number;
  /** What of it is planned with: the rest is the driver's, the desktop's and other programs'. */
  readonly budget: number;
  /** Undefined if not even the smallest tiles fit. */
  readonly plan: UpscalePlan | undefined;
}

/** A plan, and what fits on which card, as text. */
export function planText(plan: UpscalePlan, cards: readonly CardPlan[] = []): string {
  const { model, parameters, loaded, blocks, picture, tile, tiles, stages } = plan;
  const [transformer, autoencoder] = [parameters.transformer, parameters.autoencoder].map(count);
  const about: [string, string][] = [
    ["Model", `${model.name}: transformer ${transformer} parameters, autoencoder ${autoencoder}`],
    [
      "Picture",
      `${picture.width} x ${picture.height}, in ${tiles === 1 ? "one tile" : `${tiles} tiles`} of ` +
      `${tile.width} x ${tile.height} of the result`,
    ],
    [
      "Work",
      plan.flops < 1e12 ? `${(plan.flops / 1e9).toPrecision(3)} GFLOP` : `${(plan.flops / 1e12).toPrecision(3)} TFLOP`,
    ],
  ];
  if (plan.tileSide < plan.wantedTile) about.splice(2, 0, ["Tiles", `of ${ofTiles(plan)}`]);
  const memory: [string, number, string?][] = [
    ["transformer", loaded.transformer, `folded; ${ofBlocks(blocks)}`],
    ["autoencoder", loaded.autoencoder],
    ["text", loaded.text],
    ...Object.entries(stages).map(([stage, bytes]) => [`+ to ${stage}`, bytes] as [string, number]),
    ["in use at most", plan.usedBytes],
    ["reserved at most", plan.peakBytes, "with what is kept for reuse"],
  ];
  const lines = [
    ...table(about.map((row) => [...row])),
    "",
    "GPU memory",
    ...table(memory.map((row) => memoryRow(...row))),
  ];
  if (cards.length > 0) {
    lines.push("", "What fits, for a picture that fills a tile, as large as possible", ...table(cards.map(cardRow)));
  }
  return `${lines.join("\n")}\n`;
}

function cardRow({ bytes, budget, plan }: CardPlan): string[] {
  const flag = `--max-vram ${byteSize(budget).replace(" ", "")}`;
  const fits = plan ? `tiles of ${plan.tileSide}; ${ofBlocks(plan.blocks)}` : "nothing";
  return [`  a card of ${bytes / 1e9} GB`, flag, fits];
}

/** `18 of 57 blocks stay, 9.39 GB are loaded for each pass` */
export function ofBlocks({ all, resident, streamedBytes }: PlannedBlocks): string {
  return resident === all
    ? `all ${all} blocks stay`
    : `${resident} of ${all} blocks stay, ${byteSize(streamedBytes)} are loaded for each pass`;
}

function count(parameters: number): string {
  return parameters < 1e9 ? `${(parameters / 1e6).toFixed(2)} M` : `${(parameters / 1e9).toFixed(2)} G`;
}

/** `256 pixels instead of 512, which have no room`: the side of tiles. */
export function ofTiles({ tileSide, wantedTile }: Pick<UpscalePlan, "tileSide" | "wantedTile">): string {
  return `${tileSide} pixels instead of ${wantedTile}, which have no room`;
}

/** A row of a table of memory. */
export function memoryRow(name: string, bytes: number, note = ""): string[] {
  return [`  ${name}`, byteSize(bytes).padStart(8), note];
}

/** Columns of equal width, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((text, i) => Math.max(most[i] ?? 0, text.length)), []);
  return rows.map((row) => row.map((text, i) => text.padEnd(widths[i] ?? 0)).join("  ").trimEnd());
}
