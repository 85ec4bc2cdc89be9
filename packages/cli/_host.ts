import { fileURLToPath } from "node:url";

/** What a command does to the process around it; tests give their own. */
export interface Host {
  /** Writes to stdout. */
  out(text: string): void;
  /** Writes to stderr. */
  err(text: string): void;
  /** Columns of the terminal that stderr is, undefined if it is none. */
  columns(): number | undefined;
  /** The exit code of the process, once all is done. */
  exitCode(code: number): void;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
}

/** This process. */
export const PROCESS: Host = {
  out: (text) => writeAll(Deno.stdout, text),
  err: (text) => writeAll(Deno.stderr, text),
  columns: () => {
    try {
      return Deno.stderr.isTerminal() ? Deno.consoleSize().columns : undefined;
    } catch {
      return undefined;
    }
  },
  exitCode: (code) => {
    Deno.exitCode = code;
  },
  now: () => performance.now(),
};

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) written += stream.writeSync(bytes.subarray(written));
}

/**
 * Goes back to the folder that the user is in: `deno task` starts every task in the folder of its deno.json and says in
 * INIT_CWD where it came from. Without it, `deno task upscale photo.png` would not find the photo in a subfolder.
 */
export function enterUserFolder(): void {
  const origin = Deno.env.get("INIT_CWD");
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");
  if (origin !== undefined && Deno.cwd() === root) Deno.chdir(origin);
}

/** Runs `work` to its end even if the user interrupts the command meanwhile; the command stops right afterwards. */
export async function uninterrupted<T>(work: () => Promise<T>): Promise<T> {
  let interrupted = false;
  const remember = () => {
    interrupted = true;
  };
  Deno.addSignalListener("SIGINT", remember);
  try {
    return await work();
  } finally {
    Deno.removeSignalListener("SIGINT", remember); // from here on an interrupt ends the process at once again
    if (interrupted) Deno.exit(130);
  }
}
