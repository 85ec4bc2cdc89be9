import { join } from "node:path";
import { afterAll } from "vitest";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { runGolden } from "../../../packages/cli/golden/run.ts";
import { gpu } from "../../helpers/gpu.ts";
import type { Named } from "../../core/nn/_random_weights.ts";

/** The tolerances that the bundled cases have for results of networks and for gradients. */
const FORWARD = { rtol: 2e-4, atol: 1e-6 };
const GRADS = { rtol: 1e-3, atol: 1e-6 };

/** A new folder for cases that goes away after the test file. */
export function temporaryRoot(): string {
  const path = Deno.makeTempDirSync({ prefix: "fluxsr-" });
  afterAll(() => Deno.removeSync(path, { recursive: true }));
  return path;
}

/** Writes a case below `root`; its files list their tensors as those of the bundled cases do. */
export async function writeCase(
  root: string,
  { name, kind, config = {}, files = {}, ...rest }: {
    name: string;
    kind: string;
    config?: unknown;
    files?: Readonly<Record<string, Named>>;
    tolerances?: unknown;
  },
): Promise<void> {
  const folder = join(root, name);
  await Deno.mkdir(folder, { recursive: true });
  const listed: Record<string, unknown> = {};
  for (const [file, tensors] of Object.entries(files)) {
    const data = [...tensors].map(([key, { shape, values }]) =>
      [key, { dtype: "F32", shape, bytes: fromF32(values, "F32") }] as const
    );
    await writeSafetensors(join(folder, file), data);
    listed[file] = { about: "a test", tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })) };
  }
  const tolerances = {
    forward: FORWARD,
    grads: GRADS,
    schedule: { rtol: 0, atol: 1e-6 },
    weights: { rtol: 0, atol: 0 },
  };
  const json = { name, kind, description: [], config, files: listed, tolerances, ...rest };
  await Deno.writeTextFile(join(folder, "case.json"), JSON.stringify(json));
}

/** Runs the cases below `roots`: whether all is well, the lines of the cases, and the totals. */
export async function run(...roots: string[]): Promise<{ isGood: boolean; lines: string[]; totals: string }> {
  const lines: string[] = [];
  const isGood = await runGolden(roots, { gpu, print: (line) => lines.push(line) });
  return { isGood, totals: lines.pop()!, lines };
}
