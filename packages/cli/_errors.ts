import { CommanderError } from "commander";
import type { Host } from "./_host.ts";

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** An error in the user's words: one line, and what can be done about it. */
export interface Failure {
  readonly message: string;
  readonly hint: string | undefined;
}

const SEE_HELP = "run it with --help to see what is possible";
const SEE_DEBUG = "this should not happen: run it with --debug to see where it did";

/** Errors whose message was written for the user. */
const EXPECTED = [
  "InputError",
  "UsageError",
  "GpuError",
  "UnsupportedFeatureError",
  "OutOfMemoryError",
  "BufferLimitError",
  "DeviceLostError",
  "RangeError",
];

/** Any thrown value as one line and a hint. */
export function explain(error: unknown): Failure {
  if (error instanceof CommanderError) return explainCommander(error);
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
  const isExpected = EXPECTED.includes(name);
  return {
    message: oneLine(isExpected || name === "" ? message : `${name}: ${message}`),
    hint: typeof hint === "string" ? oneLine(hint) : isExpected ? undefined : SEE_DEBUG,
  };
}

/** Prints an error: its line, its `Hint:`, and with `debug` its stack. */
export function report(
  error: unknown,
  { host, debug, subject }: { host: Host; debug: boolean; subject?: string },
): void {
  const { message, hint } = explain(error);
  const isNamed = subject === undefined || message.includes(subject);
  host.err(`${isNamed ? message : `${oneLine(subject)}: ${message}`}\n`);
  if (hint !== undefined) host.err(`Hint: ${hint}\n`);
  if (debug) host.err(stack(error));
}

/** 2 for a wrong command line, 0 for --help and --version, else 1. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof UsageError ? 2 : 1;
}

/** `error: unknown option '--scal'\n(Did you mean --scale?)` in our form. */
function explainCommander({ message }: CommanderError): Failure {
  const [first = "", second] = message.replace(/^error: /, "").split("\n");
  const suggestion = second?.replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1? Or ");
  return { message: first.charAt(0).toUpperCase() + first.slice(1), hint: `${suggestion ?? ""}${SEE_HELP}` };
}

/** Control characters, of a file name say, must not reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

function stack(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const cause = error.cause instanceof Error ? `Caused by ${stack(error.cause)}` : "";
  return `${error.stack ?? error.message}\n${cause}`;
}
