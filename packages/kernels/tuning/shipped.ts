import type { AdapterSummary } from "../gpu/adapter.ts";
import shipped from "./shipped.json" with { type: "json" };
import { Tuning, type TuningJson } from "./tuning.ts";

/** By how descriptions of adapters begin. For llvmpipe the rules were measured to be best at the shapes of the benchmark. */
const SHIPPED: Readonly<Record<string, TuningJson>> = shipped;

/** The choices that come with the package, measured on adapters of this description. */
export function shippedTuning({ description }: AdapterSummary): Tuning {
  const known = Object.entries(SHIPPED).find(([beginning]) => description.startsWith(beginning));
  return new Tuning(known?.[1]);
}
