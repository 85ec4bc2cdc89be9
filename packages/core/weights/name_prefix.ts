import { InputError } from "../errors.ts";
import { quote } from "../files/messages.ts";
import { renamedSource } from "./renamed_source.ts";
import type { WeightSource } from "./weight_source.ts";

/** The first of `prefixes` with which `names` has one of `anchors`. */
export function findPrefix(
  names: ReadonlyMap<string, unknown>,
  { prefixes, anchors }: { prefixes: readonly string[]; anchors: readonly string[] },
): string | undefined {
  return prefixes.find((prefix) => anchors.some((anchor) => names.has(prefix + anchor)));
}

/** The tensors of `source` whose names start with `prefix`, without it. */
export function withoutPrefix(source: WeightSource, prefix: string): WeightSource {
  if (prefix === "") return source;
  const inside = [...source.tensors.keys()].filter((name) => name.startsWith(prefix));
  return renamedSource(source, new Map(inside.map((name) => [name.slice(prefix.length), { parts: [name] }])));
}

/** No network has more blocks of a kind; a file that names block 4294967295 must not make anyone count so far. */
export const MAX_LEVELS = 1024;

/**
 * One more than the largest number that `pattern` captures in `names`, e.g. of `double_blocks.(\d+)`; 0 if none does.
 * @throws {InputError} if it is absurd.
 */
export function countLevels(names: Iterable<string>, pattern: RegExp): number {
  let count = 0;
  for (const name of names) {
    const level = pattern.exec(name)?.[1];
    if (level === undefined) continue;
    if (Number(level) >= MAX_LEVELS) {
      throw new InputError(`Cannot load ${quote(name)}: a network must have at most ${MAX_LEVELS} blocks`);
    }
    count = Math.max(count, Number(level) + 1);
  }
  return count;
}
