import { join } from "node:path";
import { holdFolder, InputError, osReason, writeJson } from "@fluxsr/core";

/** Keys that a run may go on with differently: they change nothing of the steps that were made. */
const FREE = [
  "out",
  "steps",
  "max_seconds",
  "max_vram",
  "log_every",
  "validate_every",
  "checkpoint_every",
  "keep_checkpoints",
  "skip_bad",
];

type Config = Readonly<Record<string, unknown>>;

/** A run, as its `config.json` says it. */
export interface RunDescription {
  readonly stage: string;
  readonly config: Config;
}

/**
 * Checks that the run can go into folder `out`, before anything is made.
 *
 * @throws {InputError} if there is a run already and it is not to be resumed, or it is one of another configuration
 */
export async function checkRunFolder(out: string, run: RunDescription, { resume }: { resume: boolean }): Promise<void> {
  const path = join(out, "config.json");
  const before = await readConfig(path);
  if (before && !resume) {
    throw new InputError(`Cannot train into "${out}": the folder must be new: it has a run`, {
      hint: "Pass --resume to go on with it, or another --out.",
    });
  }
  if (before) checkSame(path, before, contents(run));
}

/**
 * Makes the folder of a run, which keeps other processes out until it is disposed of, and writes its `config.json`.
 *
 * @throws {InputError} if it cannot be written, or another process trains into it
 */
export async function makeRunFolder(out: string, run: RunDescription): Promise<Disposable> {
  try {
    await Deno.mkdir(out, { recursive: true });
    const held = await holdFolder(out);
    await writeJson(join(out, "config.json"), contents(run));
    return held;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`Cannot train into "${out}": it must be a folder that can be written: ${osReason(cause)}`, {
      cause,
    });
  }
}

/** As JSON keeps it: without what is undefined. */
function contents({ stage, config }: RunDescription): Config {
  return JSON.parse(JSON.stringify({ stage, ...config }));
}

async function readConfig(path: string): Promise<Config | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new InputError(`Cannot read "${path}": ${osReason(cause)}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`Cannot read "${path}": it must be JSON: ${osReason(cause)}`);
  }
}

function checkSame(path: string, before: Config, wanted: Config): void {
  const keys = new Set([...Object.keys(before), ...Object.keys(wanted)]);
  for (const key of keys) {
    const [was, is] = [before[key], wanted[key]].map((value) => JSON.stringify(value));
    if (FREE.includes(key) || was === is) continue;
    throw new InputError(
      `Cannot resume: the run must have the configuration of "${path}": ${key} was ${was}, is ${is}`,
      {
        hint: `Leave the keys as they were, or start a run of its own with another --out.`,
      },
    );
  }
}
