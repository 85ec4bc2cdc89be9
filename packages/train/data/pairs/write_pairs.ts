import { join } from "node:path";
import { holdFolder, InputError, osReason } from "@fluxsr/core";
import { hasManifest, type PairsSettings, readManifest, type Shard, writeManifest } from "./manifest.ts";
import type { MadePair, PairMaker } from "./pair.ts";
import { readShard, SHARD_FILE, shardFault, writeShard } from "./shards.ts";

/** Options of {@linkcode writePairs}. */
export interface WriteOptions {
  readonly maker: PairMaker;
  readonly settings: PairsSettings;
  /** Pairs that the folder has in the end, if it does not have more. */
  readonly count: number;
  /** Ends the work, on the pair that is being made too where that can be; what is made is kept. */
  readonly signal?: AbortSignal | undefined;
  /** After it no pair is begun. */
  readonly deadline?: AbortSignal | undefined;
  /** Is told of every pair made, and how many of `count` there are. */
  readonly onPair?: (done: number, pair: MadePair) => void;
}

/**
 * Makes pairs in folder `dir` until it has `count`, and goes on with those of an earlier run of the same settings: shards
 * that are complete stay, the last one is filled up, damaged ones are made anew. Pair i depends on the settings alone, so
 * that a folder made in many runs has the same bytes as one made in one. What is made is kept, whatever ends the work.
 *
 * @returns how many of the first `count` pairs there are: fewer only if `signal` or `deadline` ended the work
 * @throws {InputError} if the folder has pairs of other settings, cannot be written, or another process writes to it
 */
export async function writePairs(dir: string, options: WriteOptions): Promise<number> {
  const { maker, settings, count, signal, deadline } = options;
  const isOver = () => signal?.aborted || deadline?.aborted;
  const per = settings.pairs_per_shard;
  await makePairsFolder(dir);
  using _held = await holdFolder(dir);
  const shards = [...await earlierShards(dir, settings)];
  let done = 0;
  for (let n = 0; n * per < count && !isOver(); n++) {
    const first = n * per;
    const wanted = Math.max(Math.min(per, count - first), shards[n]?.count ?? 0);
    const kept = await intact(dir, { shard: shards[n], settings });
    if (kept && kept.count >= wanted) {
      done = first + wanted;
      continue;
    }
    const pairs = kept ? await readShard({ dir, shard: kept, settings }) : [];
    const before = pairs.length;
    done = first + before;
    try {
      while (pairs.length < wanted && !isOver()) {
        pairs.push(await maker.make(first + pairs.length, signal));
        done = first + pairs.length;
        options.onPair?.(Math.min(count, done), pairs.at(-1)!);
      }
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
    } finally {
      if (pairs.length > before) {
        shards[n] = await writeShard(dir, pairs, { first, settings });
        await writeManifest(dir, { settings, shards });
        await removeStrays(dir, shards);
      }
    }
  }
  return Math.min(count, done);
}

/** The shards that are there. */
async function earlierShards(dir: string, settings: PairsSettings): Promise<readonly Shard[]> {
  if (!await hasManifest(dir)) return [];
  const there = await readManifest(dir);
  for (const key of Object.keys({ ...settings, ...there.settings }) as (keyof PairsSettings)[]) {
    const [old, wanted] = [there.settings, settings].map((each) => JSON.stringify(each[key]));
    // The folder of a model may have another name by now.
    if (key === "model" ? there.settings.model.sha256 === settings.model.sha256 : old === wanted) continue;
    throw new InputError(`Cannot add pairs to "${dir}": ${key} must be that of its pairs, ${old}: it is ${wanted}`, {
      hint: "give the settings that the pairs were made with, or another --out",
    });
  }
  return there.shards;
}

/**
 * Makes the folder of pairs if it is missing.
 * @throws {InputError} if it cannot be made
 */
export async function makePairsFolder(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (cause) {
    throw new InputError(`Cannot write pairs "${dir}": it must be a folder that can be written: ${osReason(cause)}`, {
      cause,
    });
  }
}

async function intact(
  dir: string,
  { shard, settings }: { shard: Shard | undefined; settings: PairsSettings },
): Promise<Shard | undefined> {
  return shard && await shardFault({ dir, shard, settings }) === undefined ? shard : undefined;
}

/** Removes shorter forms of shards, and what a killed process left half written. */
async function removeStrays(dir: string, shards: readonly Shard[]): Promise<void> {
  const known = new Set(shards.map(({ file }) => file));
  for await (const { name } of Deno.readDir(dir)) {
    if (SHARD_FILE.test(name) && !known.has(name)) await Deno.remove(join(dir, name));
  }
}
