import { join } from "node:path";
import { InputError } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { adl } from "./adl.ts";
import { autoencoder, autoencoderNamed } from "./autoencoder.ts";
import { readCase } from "./case.ts";
import { describe, passed } from "./compare.ts";
import { degradation } from "./degradation.ts";
import { ftdStep } from "./ftd_step.ts";
import type { Handler, Outcome } from "./handler.ts";
import { lora } from "./lora.ts";
import { lpips } from "./lpips.ts";
import { metrics } from "./metrics.ts";
import { mmdit, mmditNamed } from "./mmdit.ts";
import { sampling } from "./sampling.ts";

const HANDLERS: Readonly<Record<string, Handler>> = {
  "adl": adl,
  "mmdit": mmdit,
  "mmdit-diffusers-names": mmditNamed,
  "lora": lora,
  "lpips": lpips,
  "autoencoder": autoencoder,
  "autoencoder-diffusers-names": autoencoderNamed,
  "degradation": degradation,
  "ftd-step": ftdStep,
  "sampling": sampling,
  "metrics": metrics,
};

/** What is told of a case. */
interface Report {
  readonly verdict: "pass" | "fail" | "skip";
  readonly title: string;
  readonly text: string;
}

/** Runs every case directly below the folders `roots`; prints a line for each, then the totals. True if all is well. */
export async function runGolden(
  roots: readonly string[],
  { gpu, print }: { gpu: Gpu; print: (line: string) => void },
): Promise<boolean> {
  const counts = { pass: 0, fail: 0, skip: 0 };
  const tell = ({ verdict, title, text }: Report) => {
    counts[verdict]++;
    print(`${title} ${verdict}: ${text}`.replace(/\s+/g, " "));
  };
  for (const root of roots) {
    try {
      const folders = await caseFolders(root);
      if (folders.length === 0) print(`${root}: no folder with a case.json`);
      for (const folder of folders) tell(await runCase(folder, gpu));
    } catch (error) {
      tell({ verdict: "fail", title: root, text: messageOf(error) });
    }
  }
  print(`${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped`);
  return counts.fail === 0 && counts.pass > 0;
}

/** The folders directly below `root` that have a `case.json`. */
async function caseFolders(root: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(root)) if (!isFile) names.push(name);
  } catch (cause) {
    throw new InputError(`Cannot list cases: ${messageOf(cause)}`, { cause });
  }
  const isThere = await Promise.all(
    names.map((name) => Deno.lstat(join(root, name, "case.json")).then(() => true, () => false)),
  );
  return names.filter((_, i) => isThere[i]).sort().map((name) => join(root, name));
}

/** Runs one case; whatever goes wrong is its own failure. */
async function runCase(folder: string, gpu: Gpu): Promise<Report> {
  let title = folder;
  try {
    const golden = await readCase(folder);
    title = `${golden.name} [${golden.kind}]`;
    const handler = Object.hasOwn(HANDLERS, golden.kind) ? HANDLERS[golden.kind] : undefined;
    if (!handler) return { verdict: "skip", title, text: `unknown kind "${golden.kind}"` };
    const outcome = await handler(golden, gpu);
    return { verdict: judge(outcome), title, text: summary(outcome) };
  } catch (error) {
    return { verdict: "fail", title, text: messageOf(error) };
  } finally {
    gpu.trim();
  }
}

/** A case that compared nothing has not passed. */
function judge({ groups }: Outcome): Report["verdict"] {
  const comparisons = groups.flatMap((group) => group.comparisons);
  if (comparisons.length === 0) return "skip";
  return comparisons.every(passed) ? "pass" : "fail";
}

function summary({ groups, skipped }: Outcome): string {
  const parts = groups.filter(({ comparisons }) => comparisons.length > 0).map(describe);
  return [parts.join(", ") || "nothing to compare", ...skipped.map((part) => `skipped: ${part}`)].join("; ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
