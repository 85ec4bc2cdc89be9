import type { PairsPlan } from "@fluxsr/train";
import { memoryRow, table } from "../_plan_table.ts";
import { textPlanText } from "../_text_plan_table.ts";

/** What making pairs takes, as text. */
export function pairsPlanText({ texts, teacher: { loadedBytes, usedBytes, peakBytes } }: PairsPlan): string {
  const rows = [
    memoryRow("networks", loadedBytes),
    memoryRow("+ to make pairs", usedBytes - loadedBytes),
    memoryRow("reserved at most", peakBytes, "with what is kept for reuse"),
  ];
  const teacher = `GPU memory of the teacher\n${table(rows).join("\n")}\n`;
  return texts ? `${textPlanText(texts)}\n${teacher}` : teacher;
}
