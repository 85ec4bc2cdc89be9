import { join } from "node:path";
import { InputError, readJson, writeAtomically } from "@fluxsr/core";
import { z } from "zod";

/** The name of the file that tells what a folder of pairs has. */
const MANIFEST = "manifest.json";

/** Grows when pairs are kept or made in another way. */
const FORMAT = "fluxsr-pairs-1";

const size = z.int().min(1);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** All that decides what pair i is: two folders with the same settings have the same pairs. */
const settings = z.strictObject({
  model: z.strictObject({ name: z.string(), sha256: digest }),
  /** Whether the noise was given and the picture made from it, or the other way round. */
  source: z.enum(["teacher", "images"]),
  /** Side of the pictures in pixels. */
  size,
  /** Of `eps` and `z_0`: height, width, channels. */
  latent: z.tuple([size, size, size]),
  solver: z.enum(["euler", "heun"]),
  steps: size,
  schedule: z.enum(["flux", "uniform"]),
  guidance: z.number().min(0),
  seed: z.int().min(0),
  prompts: z.strictObject({ count: size, sha256: digest }),
  /** Only of the source `images`: how many pictures the crops are of. */
  pictures: size.optional(),
  /** Whether the crops are mirrored and turned at random. */
  turn: z.boolean().optional(),
  pairs_per_shard: size,
  /** Pairs that were made together. */
  batch_size: size.default(1),
});

const shard = z.strictObject({
  /** In the folder. */
  file: z.string().regex(/^pairs-\d+-\d+\.safetensors$/),
  count: size,
  /** Of the whole file. */
  sha256: digest,
  /** Which prompt, for each pair. */
  prompts: z.array(z.int().min(0)),
  /** The relative error of z_0 after the way to the noise and back, for each pair; only of the source `images`. */
  round_trip: z.array(z.number().min(0)).optional(),
});

const manifest = z.strictObject({ format: z.literal(FORMAT), settings, shards: z.array(shard) });

export type PairsSettings = z.infer<typeof settings>;
export type Shard = z.infer<typeof shard>;
export type Manifest = Omit<z.infer<typeof manifest>, "format">;

/**
 * What folder `dir` has.
 * @throws {InputError} if there is no manifest, or it is damaged or of another version
 */
export async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, MANIFEST);
  if (!await hasManifest(dir)) {
    throw new InputError(`Cannot read pairs "${dir}": the folder must have a ${MANIFEST}: it has none`, {
      hint: "make pairs with: train pairs --out FOLDER",
    });
  }
  const { data, error } = manifest.safeParse(await readJson(path));
  const [issue] = error?.issues ?? [];
  if (issue) {
    const key = issue.path.join(".") || "contents";
    throw new InputError(`Cannot read pairs "${dir}": ${MANIFEST} must be one of ${FORMAT}: ${key}: ${issue.message}`);
  }
  return data!;
}

/** Whether there are pairs in `dir`. */
export async function hasManifest(dir: string): Promise<boolean> {
  return (await Deno.stat(join(dir, MANIFEST)).catch(() => undefined))?.isFile ?? false;
}

/** Writes the manifest as a whole, or leaves the one that is there. */
export async function writeManifest(dir: string, { settings, shards }: Manifest): Promise<void> {
  const text = `${JSON.stringify({ format: FORMAT, settings, shards }, null, 1)}\n`;
  await writeAtomically(join(dir, MANIFEST), new TextEncoder().encode(text), { overwrite: true });
}
