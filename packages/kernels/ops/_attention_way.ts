import { type AdapterSummary, hasEightLanes, hasFewRegisters } from "../gpu/adapter.ts";
import type { Groups } from "../gpu/kernel.ts";

/** Channels of the result per workgroup; wider heads are split. */
const WIDTH = 128;
/** Rows of the result per workgroup, by threads alone and by lanes. */
const ROWS = 32;
/** Rows of each half by workgroup memory, and the bytes that one half and two take. */
const HALF = 64;
const MEMORY = [29_696, 47_104] as const;
/** Workgroups that are enough for a large GPU, one for each of its multiprocessors. */
const FULL = 128;

/** How attention, or one of its gradients, is computed. */
export interface AttentionWay {
  /** Threads alone, for little memory; subgroups of 8 lanes; workgroup memory. */
  readonly by: "threads" | "lanes" | "shared";
  /** Rows of the result per workgroup: queries, or keys in the gradients of k and v. */
  readonly rows: number;
  /** Channels of the result per workgroup. */
  readonly columns: number;
}

/** The size of a result `[batches, rows, heads, channels]`. */
export type ResultSize = Readonly<Record<"batches" | "rows" | "heads" | "channels", number>>;

/** The widest heads in each way, for checks of declarations against the WGSL. */
export const WIDEST: Readonly<Record<AttentionWay["by"], AttentionWay>> = {
  threads: { by: "threads", rows: ROWS, columns: WIDTH },
  lanes: { by: "lanes", rows: ROWS, columns: WIDTH },
  shared: { by: "shared", rows: HALF, columns: WIDTH },
};

/** The way that suits the adapter best. */
export function attentionWay(adapter: AdapterSummary, size: ResultSize): AttentionWay {
  const columns = Math.min(WIDTH, Math.ceil(size.channels / 32) * 32);
  if (hasEightLanes(adapter)) return { by: "lanes", rows: ROWS, columns };
  const [one, two] = MEMORY;
  if (adapter.software || adapter.workgroupMemory < one) return { by: "threads", rows: ROWS, columns };
  const large = { by: "shared", rows: 2 * HALF, columns } as const;
  const fills = attentionGroups(large, size).reduce((a, b) => a * b) >= FULL;
  return fills && adapter.workgroupMemory >= two && !hasFewRegisters(adapter) ? large : { ...large, rows: HALF };
}

/** The workgroups of a result: rows, heads and their parts, batches. */
export function attentionGroups({ rows }: AttentionWay, size: ResultSize): Groups {
  return [Math.ceil(size.rows / rows), size.heads * Math.ceil(size.channels / WIDTH), size.batches];
}

/** The `override` constants of a way. */
export function attentionConstants({ by, rows, columns }: AttentionWay): Readonly<Record<string, number>> {
  return by === "shared"
    ? { HALVES: rows / HALF, WIDE: Number(columns > WIDTH / 2) }
    : { CHUNKS: Math.ceil(columns / 32) };
}
