import type { EncoderPlan, TextPlan } from "@fluxsr/core";
import { memoryRow, ofBlocks, table } from "./_plan_table.ts";

/** What encoding texts takes, as text. */
export function textPlanText({ t5, clip, peakBytes }: TextPlan): string {
  const rows = [
    ...encoderRows("T5", t5, `${ofBlocks(t5.blocks)}${t5.together > 1 ? ` of ${t5.together} texts` : ""}`),
    ...encoderRows("CLIP", clip, "after T5 is freed"),
    memoryRow("reserved at most", peakBytes, "with what is kept for reuse"),
  ];
  return `GPU memory of the text encoders\n${table(rows).join("\n")}\n`;
}

function encoderRows(name: string, { loadedBytes, usedBytes }: EncoderPlan, note: string): string[][] {
  return [memoryRow(name, loadedBytes, note), memoryRow("+ to encode", usedBytes - loadedBytes)];
}
