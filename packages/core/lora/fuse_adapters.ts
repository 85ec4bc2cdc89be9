import { InputError } from "../errors.ts";
import { quote } from "../weights/messages.ts";
import type { LoraAdapter } from "./adapter.ts";
import type { ModulePlace } from "./module_places.ts";

/** An adapter and where its module's rows are in a BFL module. */
interface PlacedAdapter {
  readonly place: ModulePlace;
  readonly adapter: LoraAdapter;
}

/**
 * One adapter for BFL module `module` out of those for its parts. A [sum of ranks, in] has theirs below each other,
 * B [out, sum of ranks] theirs in blocks, times their scales; rows without an adapter are zero.
 *
 * @throws {InputError} if two adapters are for the same rows.
 */
export function fuseAdapters(module: string, list: readonly PlacedAdapter[]): LoraAdapter {
  const [first] = list;
  if (!first) throw new RangeError("Cannot fuse adapters: there must be at least one");
  checkDistinct(module, list);
  if (first.place.parts === 1) return first.place.swapHalves ? swapHalves(first.adapter) : first.adapter;
  const parts = list.toSorted((x, y) => x.place.part - y.place.part);
  const inner = first.place.in, out = first.place.rows;
  const rank = parts.reduce((total, { adapter }) => total + adapter.rank, 0);
  const a = new Float32Array(rank * inner);
  const b = new Float32Array(out * rank);
  let column = 0;
  for (const { place, adapter } of parts) {
    a.set(adapter.a, column * inner);
    for (let row = 0; row < adapter.out; row++) {
      const to = (place.row + row) * rank + column;
      for (let r = 0; r < adapter.rank; r++) b[to + r] = adapter.scale * adapter.b[row * adapter.rank + r]!;
    }
    column += adapter.rank;
  }
  return { a, b, rank, in: inner, out, scale: 1 };
}

/** A module may have one adapter for all its rows, or one per part. */
function checkDistinct(module: string, list: readonly PlacedAdapter[]): void {
  const isWhole = list.some(({ place }) => place.parts === 1);
  const parts = new Set(list.map(({ place }) => place.part));
  if (isWhole ? list.length === 1 : parts.size === list.length) return;
  throw new InputError(
    `Cannot load LoRA: module ${quote(module)} must have one adapter for each row: file has several`,
  );
}

/** The adapter of a weight whose upper and lower half of rows are exchanged. */
export function swapHalves(adapter: LoraAdapter): LoraAdapter {
  const half = adapter.b.length / 2;
  const b = new Float32Array(adapter.b.length);
  b.set(adapter.b.subarray(half));
  b.set(adapter.b.subarray(0, half), half);
  return { ...adapter, b };
}
