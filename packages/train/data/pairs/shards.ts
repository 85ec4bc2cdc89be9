import { join } from "node:path";
import { InputError, openSafetensors, type TensorData, writeSafetensors } from "@fluxsr/core";
import type { PairsSettings, Shard } from "./manifest.ts";
import type { MadePair, Pair } from "./pair.ts";
import { bytesOf, sha256 } from "./sha256.ts";

/** Where a shard is, and what it must have. */
export interface ShardPlace {
  readonly dir: string;
  readonly shard: Shard;
  readonly settings: Pick<PairsSettings, "latent" | "size">;
}

/** Any file that {@linkcode writeShard} made or was about to make. */
export const SHARD_FILE = /^pairs-\d+-\d+\.safetensors(\.tmp-\w+)?$/;

/**
 * Writes pairs `first`, `first + 1`, ... into one file of tensors `<i>.eps`, `<i>.z_0` (F32) and `<i>.x_0` (U8), i from
 * 0. Its name says which pairs it has, so that a longer shard never replaces a shorter one before the manifest knows it.
 *
 * @throws {InputError} if the file cannot be written
 */
export async function writeShard(
  dir: string,
  pairs: readonly MadePair[],
  { first, settings }: { first: number; settings: PairsSettings },
): Promise<Shard> {
  const number = (i: number) => String(i).padStart(6, "0");
  const file = `pairs-${number(first)}-${number(first + pairs.length - 1)}.safetensors`;
  const wanted = shapes(settings);
  const tensors = pairs.flatMap((pair, i) =>
    Object.entries(wanted).map(([part, info]): [string, TensorData] => [
      `${i}.${part}`,
      { ...info, bytes: bytesOf(pair[part as keyof typeof wanted]) },
    ])
  );
  await writeSafetensors(join(dir, file), tensors);
  const round_trip = pairs.flatMap((pair) => pair.round_trip ?? []);
  return {
    file,
    count: pairs.length,
    sha256: await fileDigest(join(dir, file)),
    prompts: pairs.map(({ prompt }) => prompt),
    ...(round_trip.length > 0 ? { round_trip } : {}),
  };
}

/** Pair `i` of a shard, counted from 0; nothing else of the file is read but its header. */
export async function readPair({ dir, shard }: Omit<ShardPlace, "settings">, i: number): Promise<Pair> {
  using file = await openSafetensors(join(dir, shard.file));
  const floats = async (part: string) => new Float32Array((await file.read(`${i}.${part}`)).buffer);
  return {
    eps: await floats("eps"),
    z_0: await floats("z_0"),
    x_0: await file.read(`${i}.x_0`),
    prompt: shard.prompts[i] ?? 0,
  };
}

/** All pairs of a shard as they were made. */
export async function readShard(place: ShardPlace): Promise<MadePair[]> {
  const { count, round_trip } = place.shard;
  const pairs = await Promise.all(Array.from({ length: count }, (_, i) => readPair(place, i)));
  return pairs.map((pair, i) => ({ ...pair, ...(round_trip ? { round_trip: round_trip[i]! } : {}) }));
}

/** What is wrong with a shard, as `<rule>: <state>`; undefined if nothing is. */
export async function shardFault({ dir, shard, settings }: ShardPlace): Promise<string | undefined> {
  const path = join(dir, shard.file);
  try {
    using file = await openSafetensors(path);
    for (let i = 0; i < shard.count; i++) {
      for (const [part, { dtype, shape }] of Object.entries(shapes(settings))) {
        const found = file.tensors.get(`${i}.${part}`);
        if (found?.dtype === dtype && found.shape.join() === shape.join()) continue;
        const state = found ? `${found.dtype} [${found.shape.join(", ")}]` : "missing";
        return `"${i}.${part}" must be ${dtype} [${shape.join(", ")}]: it is ${state}`;
      }
    }
    const digest = await fileDigest(path);
    return digest === shard.sha256 ? undefined : `sha256 must be the manifest's: it is ${digest.slice(0, 12)}...`;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** What the tensors of a pair are. */
function shapes({ latent, size }: Pick<PairsSettings, "latent" | "size">) {
  return {
    eps: { dtype: "F32", shape: latent },
    z_0: { dtype: "F32", shape: latent },
    x_0: { dtype: "U8", shape: [size, size, 3] },
  } as const;
}

async function fileDigest(path: string): Promise<string> {
  using file = await Deno.open(path);
  return await sha256(file.readable);
}
