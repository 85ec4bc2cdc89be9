/**
 * The command line: commands parse, call and print.
 *
 * ```ts
 * import { runProgram } from "@fluxsr/cli";
 *
 * await runProgram(["upscale", "photo.jpg", "--scale", "2"]);
 * ```
 *
 * @module
 */
export { type Host } from "./_host.ts";
export { createProgram, runProgram } from "./program.ts";
