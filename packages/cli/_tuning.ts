import { InputError } from "@fluxsr/core";
import { type AdapterSummary, type Gpu, Tuning } from "@fluxsr/kernels";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";

const schema = z.record(
  z.string(),
  z.object({
    by: z.enum(["lanes", "shared", "few"]),
    rows: z.int().positive(),
    columns: z.int().positive(),
    splits: z.int().positive(),
  }),
);

/** Where the choices that were measured on `adapter` are kept: in the user's cache folder, as XDG has it. */
export function tuningFile({ description }: Pick<AdapterSummary, "description">): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache");
  const name = description.toLowerCase().replace(/[^a-z0-9.]+/g, "-").replace(/^-|-$/g, "");
  return join(cache, "fluxsr", "tuning", `${name}.json`);
}

/**
 * Lets `gpu` compute as was measured to be best on its adapter, if that was measured.
 * @throws {InputError} if the file cannot be read
 */
export async function applyTuning(gpu: Gpu): Promise<void> {
  const path = tuningFile(gpu.adapter);
  const text = await Deno.readTextFile(path).catch((error: Error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unreadable(path, error.message);
  });
  if (text === undefined) return;
  try {
    gpu.tuning = new Tuning(schema.parse(JSON.parse(text)));
  } catch (error) {
    throw unreadable(path, error instanceof z.ZodError ? error.issues[0]?.message : (error as Error).message);
  }
}

/** Keeps what `gpu` was tuned to, for {@linkcode applyTuning}; returns the path of the file. */
export async function saveTuning({ adapter, tuning }: Gpu): Promise<string> {
  const path = tuningFile(adapter);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, `${JSON.stringify(tuning, null, 2)}\n`);
  return path;
}

function unreadable(path: string, reason: string | undefined): InputError {
  return new InputError(`Cannot read tuning "${path}": it must be what the benchmark wrote: ${reason}`, {
    hint: "remove it, or measure again: deno task bench --tune",
  });
}
