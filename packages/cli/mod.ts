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
export { registerDoctor } from "./doctor.ts";
export { registerGolden } from "./golden.ts";
export { runUpscale } from "./_run_upscale.ts";
export type { UpscaleDeps, UpscaleRequest } from "./_upscale_request.ts";
export { registerUpscale } from "./upscale.ts";
