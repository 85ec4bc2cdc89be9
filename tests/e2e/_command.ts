/** Runs the real command line, as a user does. */
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../packages/cli/main.ts", import.meta.url));

/** The environment of the command, besides that of the tests. */
const ENVIRONMENT = { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" };

/** What a command printed, line by line on stderr, and its exit code. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: readonly string[];
}

/** Starts `fluxsr <args>` in folder `cwd`. */
export function start(args: readonly string[], { cwd, env = {} }: { cwd: string; env?: Record<string, string> }) {
  return new Deno.Command("deno", {
    args: ["run", "-A", MAIN, ...args],
    cwd,
    env: { ...ENVIRONMENT, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs `fluxsr <args>` in folder `cwd` to its end. */
export async function run(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<Ended> {
  const { code, stdout, stderr } = await start(args, options).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr).split("\n").filter((line) => line !== "") };
}
