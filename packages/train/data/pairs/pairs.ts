import { InputError, type Rgb8 } from "@fluxsr/core";
import { type PairsSettings, readManifest, type Shard } from "./manifest.ts";
import { identifyModel, type ModelIdentity } from "./model_hash.ts";
import { readPair, shardFault } from "./shards.ts";

/** What pairs may take that are kept: the first ones of a run, since every epoch reads all of them once. */
const CACHE_BYTES = 1e9;

/** A pair as it is trained with. */
export interface TrainingPair {
  /** In the folder it comes from. */
  readonly number: number;
  /** The noise and the latent, each of `shape`. */
  readonly eps: Float32Array<ArrayBuffer>;
  readonly z_0: Float32Array<ArrayBuffer>;
  readonly shape: readonly [height: number, width: number, z_channels: number];
  readonly x_0: Rgb8;
  /** Which of the prompts it was made with. */
  readonly prompt: number;
}

/** Pairs in a folder. */
export interface Pairs {
  readonly dir: string;
  readonly settings: PairsSettings;
  readonly count: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** Pair `i` below `count`; only this pair is read, and is kept where there is room. */
  pair(i: number): Promise<TrainingPair>;
}

/** The state of a shard. */
export interface CheckedShard {
  readonly shard: Shard;
  /** The number of its first pair. */
  readonly first: number;
  /** What is wrong with it, as `<rule>: <state>`; undefined if nothing is. */
  readonly fault: string | undefined;
}

/**
 * Opens the pairs in folder `dir`. All files are read once, to compare them with the manifest.
 *
 * @param options `model` is the folder of the model that made them, left out where any will do: to compare it all its
 * weights are read; `skipBad` leaves damaged shards out and tells `notice` which
 * @throws {InputError} if there are no pairs, another model made them, or a shard is missing or damaged
 */
export async function openPairs(
  dir: string,
  { model, skipBad = false, notice = () => {} }: {
    model: string | undefined;
    skipBad?: boolean;
    notice?: (text: string) => void;
  },
): Promise<Pairs> {
  const places: { shard: Shard; index: number; number: number }[] = [];
  const { settings } = await readManifest(dir);
  for await (const { shard, first, fault } of checkPairs(dir, { model })) {
    if (fault === undefined) {
      for (let index = 0; index < shard.count; index++) places.push({ shard, index, number: first + index });
    } else if (skipBad) notice(`Left out ${shard.count} pairs, shard "${shard.file}" is damaged: ${fault}`);
    else {
      throw new InputError(`Cannot read pairs "${dir}": shard "${shard.file}" is damaged: ${fault}`, {
        hint: "make it again with the same train pairs command, or leave it out with --skip-bad",
      });
    }
  }
  if (places.length === 0) {
    throw new InputError(`Cannot read pairs "${dir}": there must be at least one: all shards are damaged or missing`);
  }
  const { latent, size } = settings;
  const kept = new Map<number, TrainingPair>();
  const room = CACHE_BYTES / (8 * latent[0] * latent[1] * latent[2] + 3 * size * size);
  const load = async (i: number): Promise<TrainingPair> => {
    const place = places[i];
    if (!place) throw new RangeError(`Cannot read pair ${i}: it must be below ${places.length}`);
    const { x_0: rgb, ...pair } = await readPair({ dir, shard: place.shard }, place.index);
    return { ...pair, shape: latent, x_0: { rgb, width: size, height: size }, number: place.number };
  };
  return {
    dir,
    settings,
    count: places.length,
    size,
    pair: async (i) => {
      const pair = kept.get(i) ?? await load(i);
      if (kept.size < room) kept.set(i, pair);
      return pair;
    },
  };
}

/**
 * Compares the shards of folder `dir` with its manifest, one after another; `model` is the folder of their model, which
 * is not compared if it is left out.
 * @throws {InputError} if there is no manifest, or another model made the pairs
 */
export async function* checkPairs(
  dir: string,
  { model }: { model: string | undefined },
): AsyncGenerator<CheckedShard> {
  const { settings, shards } = await readManifest(dir);
  if (model !== undefined) await requireMaker(dir, { model, settings });
  for (const [n, shard] of shards.entries()) {
    const first = n * settings.pairs_per_shard;
    yield { shard, first, fault: await shardFault({ dir, shard, settings }) };
  }
}

async function requireMaker(
  dir: string,
  { model, settings }: { model: string; settings: PairsSettings },
): Promise<void> {
  const [maker, wanted] = [settings.model, await identifyModel(model)];
  if (maker.sha256 === wanted.sha256) return;
  const show = ({ name, sha256 }: ModelIdentity) => `"${name}" (${sha256.slice(0, 12)}...)`;
  throw new InputError(
    `Cannot read pairs "${dir}": they must be of the model ${show(wanted)}: they are of ${show(maker)}`,
    { hint: "make pairs with this model, or give the folder of theirs with --model" },
  );
}
