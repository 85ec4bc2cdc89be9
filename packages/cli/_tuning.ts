import { InputError, writeJson } from "@fluxsr/core";
import { type AdapterSummary, candidateTilings, type Gpu, type ProductShape, Tuning } from "@fluxsr/kernels";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";

/** What `classOf` calls a class of shapes. */
const CLASS = /^(matmul|conv2d|conv2d_3x3|conv2d_narrow|conv2d_weight|conv2d_weight_3x3)\.([nt])([nt]) \d+x\d+x\d+$/;

const tiling = z.object({
  by: z.enum(["lanes", "shared", "few", "winograd"]),
  rows: z.int().positive(),
  columns: z.int().positive(),
  splits: z.int().positive(),
});

const schema = z.record(z.string().regex(CLASS), tiling);

/** How a way is told from others. */
function told({ by, rows, columns, splits }: z.infer<typeof tiling>): string {
  return `${by} ${rows}x${columns} in ${splits} ${splits === 1 ? "part" : "parts"}`;
}

/**
 * All ways that shapes of a class may be computed in; other numbers would compute something wrong. A class does not tell
 * all that a shape does, so it has the ways of few rows and many, of short sums and long ones.
 */
function waysOf(adapter: AdapterSummary, className: string): Set<string> {
  const [, op, a, b] = CLASS.exec(className) ?? [];
  const form = { op: op as ProductShape["op"], transposeA: a === "t", transposeB: b === "t", batches: 1 };
  const depths = Array.from({ length: 16 }, (_, i) => 2 ** i);
  const shapes = depths.flatMap((depth) => [1, 1024].map((rows) => ({ ...form, rows, columns: 1024, depth })));
  return new Set(shapes.flatMap((shape) => candidateTilings(adapter, shape) as z.infer<typeof tiling>[]).map(told));
}

/** The choices that a file holds. */
function parseTuning(text: string, adapter: AdapterSummary): Tuning {
  const choices = schema.parse(JSON.parse(text));
  for (const [className, way] of Object.entries(choices)) {
    if (!waysOf(adapter, className).has(told(way))) {
      throw new RangeError(`"${className}" cannot be computed by ${told(way)}`);
    }
  }
  return new Tuning(choices);
}

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
    gpu.tuning = parseTuning(text, gpu.adapter);
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw unreadable(path, issue ? `at "${issue.path.join(".")}": ${issue.message}` : (error as Error).message);
  }
}

/** Keeps what `gpu` was tuned to, for {@linkcode applyTuning}; returns the path of the file. */
export async function saveTuning({ adapter, tuning }: Gpu): Promise<string> {
  const path = tuningFile(adapter);
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeJson(path, tuning);
  return path;
}

function unreadable(path: string, reason: string | undefined): InputError {
  return new InputError(`Cannot read tuning "${path}": it must be what the benchmark wrote: ${reason}`, {
    hint: "remove it, or measure again: deno task bench --tune",
  });
}
