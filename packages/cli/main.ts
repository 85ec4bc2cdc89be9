import { report } from "./_errors.ts";
import { enterUserFolder, PROCESS } from "./_host.ts";
import { runProgram } from "./program.ts";

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  report(event.reason, { host: PROCESS, debug: Deno.args.includes("--debug") });
  Deno.exit(1);
});

enterUserFolder();
await runProgram(Deno.args);
