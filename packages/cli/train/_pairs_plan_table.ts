import { byteSize } from "@fluxsr/core";
import type { PairsPlan, TeacherPlan } from "@fluxsr/train";
import { memoryRow, ofBlocks, table } from "../_plan_table.ts";
import { textPlanText } from "../_text_plan_table.ts";

/** What making pairs takes, as text. */
export function pairsPlanText({ texts, teacher }: PairsPlan): string {
  const { loadedBytes, usedBytes, peakBytes } = teacher;
  const rows = [
    memoryRow("networks", loadedBytes, teacherBlocks(teacher)),
    memoryRow("+ to make pairs", usedBytes - loadedBytes),
    memoryRow("reserved at most", peakBytes, "with what is kept for reuse"),
  ];
  const text = `GPU memory of the teacher\n${table(rows).join("\n")}\n`;
  return texts ? `${textPlanText(texts)}\n${text}` : text;
}

/** `18 of 57 blocks stay, 15 GB are loaded for each pass of 4 groups of pairs, 105 GB for a pair` */
export function teacherBlocks({ blocks, together, loadedPerPair }: TeacherPlan): string {
  if (blocks.streamedBytes === 0) return ofBlocks(blocks);
  const groups = together > 1 ? ` of ${together} groups of pairs` : "";
  return `${ofBlocks(blocks)}${groups}, ${byteSize(loadedPerPair)} for a pair`;
}
