import { InputError } from "../errors.ts";
import { quote } from "../files/messages.ts";
import { lazyAdapter, type LoraAdapter } from "./adapter.ts";
import type { ModulePlace } from "./module_places.ts";

/** An adapter and where its module's rows are in a BFL module. */
interface PlacedAdapter {
  readonly place: ModulePlace;
  readonly adapter: LoraAdapter;
}

/**
 * One adapter for BFL module `module` out of those for its parts. Parts that have the same A, as those of an adapter that
 * was trained on the whole module, keep it: [rank, in], with their rows of B, times their scales, below each other.
 * Otherwise A [sum of ranks, in] has theirs below each other, and B [out, sum of ranks] theirs in blocks. Rows without an
 * adapter are zero.
 *
 * @throws {InputError} if two adapters are for the same rows.
 */
export function fuseAdapters(module: string, list: readonly PlacedAdapter[]): LoraAdapter {
  const [first] = list;
  if (!first) throw new RangeError("Cannot fuse adapters: there must be at least one");
  checkDistinct(module, list);
  if (first.place.parts === 1) return first.place.swapHalves ? swapHalves(first.adapter) : first.adapter;
  const parts = list.toSorted((x, y) => x.place.part - y.place.part);
  const isShared = haveSameA(parts);
  const inner = first.place.in, out = first.place.rows;
  const rank = isShared ? first.adapter.rank : parts.reduce((total, { adapter }) => total + adapter.rank, 0);
  const a = () => {
    const rows = new Float32Array(rank * inner);
    let at = 0;
    for (const { adapter } of isShared ? [first] : parts) {
      rows.set(adapter.a, at);
      at += adapter.rank * inner;
    }
    return rows;
  };
  const b = () => {
    const blocks = new Float32Array(out * rank);
    let column = 0;
    for (const { place, adapter } of parts) {
      const own = adapter.b;
      for (let row = 0; row < adapter.out; row++) {
        const to = (place.row + row) * rank + column;
        for (let r = 0; r < adapter.rank; r++) blocks[to + r] = adapter.scale * own[row * adapter.rank + r]!;
      }
      if (!isShared) column += adapter.rank;
    }
    return blocks;
  };
  return lazyAdapter({ rank, in: inner, out, scale: 1 }, { a, b });
}

function haveSameA([first, ...others]: readonly PlacedAdapter[]): boolean {
  if (!first || others.some(({ adapter }) => adapter.rank !== first.adapter.rank)) return false;
  const { a } = first.adapter;
  return others.every(({ adapter: { a: other } }) => a.every((value, i) => value === other[i]));
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
  const { rank, in: inner, out, scale } = adapter;
  const b = () => {
    const { b: rows } = adapter;
    const swapped = new Float32Array(rows.length);
    swapped.set(rows.subarray(rows.length / 2));
    swapped.set(rows.subarray(0, rows.length / 2), rows.length / 2);
    return swapped;
  };
  return lazyAdapter({ rank, in: inner, out, scale }, { a: () => adapter.a, b });
}
