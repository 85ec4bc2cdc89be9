import { hasEightLanes } from "../gpu/adapter.ts";
import type { Gpu } from "../gpu/gpu.ts";
import row from "./_lanes_row.wgsl" with { type: "text" };

/** The chunk with what lanes do with the rows that they share. */
export const lanesRow = row;

/** Lanes of a row of `width` numbers, if subgroups of 8 lanes can hold such rows in registers, 16 numbers a lane. */
export function lanesOf(gpu: Gpu, width: number): number | undefined {
  return hasEightLanes(gpu.adapter) && [16, 32, 64, 128].includes(width) ? width / 16 : undefined;
}
