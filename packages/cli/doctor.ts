import { BUNDLED_MODEL, loadModel, planUpscale } from "@fluxsr/core";
import { type Command, Option } from "commander";
import { type Examination, examine } from "./_examine.ts";
import { checkModelGiven, examineModel, inWords, type ModelExamination, type ModelRequest } from "./_examine_model.ts";
import { openChosenGpu } from "./_gpu.ts";
import type { Host } from "./_host.ts";
import { path } from "./_options.ts";

/** Adds the command `doctor` to `program`: what the machine offers, and whether upscaling works on it. */
export function registerDoctor(program: Command, { host }: { host: Host }): void {
  program.command("doctor")
    .description("show what the GPU offers, and whether upscaling works here")
    .addOption(
      new Option("-m, --model <dir>", "also plan for this model: its memory, and which cards it fits on")
        .argParser(path("--model")),
    )
    .addOption(new Option("--lora <path>", "plan with this LoRA, or folder of one").argParser(path("--lora")))
    .option(
      "--verify",
      "also read every weight of --model, compare the checksums of its download, and say how fast that is",
    )
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExit code: 0 upscaling works, 1 it does not.")
    .action(async ({ json, ...request }: ModelRequest & { json?: boolean }, command: Command) => {
      const openGpu = () => openChosenGpu(command, { matrices: true });
      checkModelGiven(request);
      const found = await examine({ openGpu, loadModel, planUpscale, model: BUNDLED_MODEL });
      const print = (model: ModelExamination) =>
        host.out(json ? `${JSON.stringify({ ...found, ...model }, null, 2)}\n` : describe(found) + inWords(model));
      host.exitCode(found.ok ? 0 : 1);
      if (!found.adapter) return print({}); // there is nothing to plan for
      try {
        print(await examineModel(request, { host, openGpu }));
      } catch (error) {
        print({}); // what was found out of the machine is no less true
        throw error;
      }
    });
}

/** An examination in words. */
export function describe(
  { ok, adapter, features, subgroups, matrices, limits, versions, model, tile, selfTest, problems }: Examination,
): string {
  const rows: [string, string][] = [];
  if (adapter) {
    const kind = adapter.software ? "software: correct, but slow" : "hardware";
    rows.push(["Adapter", `${adapter.description} (${kind})`], ["Vendor", vendorName(adapter.vendor)]);
  }
  if (features) {
    rows.push(["Features", Object.entries(features).map(([name, is]) => `${name} ${is ? "yes" : "no"}`).join(", ")]);
  }
  if (subgroups) {
    const { min, max } = subgroups;
    rows.push(["Subgroups", min === max ? `${min} lanes` : `${min} to ${max} lanes`]);
  }
  if (matrices && matrices.length > 0) {
    const products = matrices.map(({ m, n, k, operands, result }) => `${m}x${n}x${k} ${operands} to ${result}`);
    rows.push(["Matrix units", products.join(", ")]);
  }
  if (limits) {
    rows.push(["Largest buffer", bytes(limits.maxBufferSize)]);
    rows.push(["Largest binding", bytes(limits.maxStorageBufferBindingSize)]);
    rows.push(["Workgroup memory", bytes(limits.maxComputeWorkgroupStorageSize)]);
    rows.push(["Workgroup size", `${limits.maxComputeInvocationsPerWorkgroup} invocations`]);
  }
  rows.push(["Versions", Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")]);
  if (model) {
    const parts = Object.entries(model.parameters).map(([name, count]) => `${name} ${millions(count)}`).join(", ");
    rows.push(["Bundled model", `${model.name} (${parts}; ${bytes(model.gpuBytes)} on the GPU)`]);
  }
  if (tile) {
    const { side, overlap, gpuBytes } = tile;
    rows.push(["Tile", `${side} x ${side}, overlap ${overlap}, ${bytes(gpuBytes)} on the GPU with the model`]);
  }
  if (selfTest) {
    const { ok, worstError, milliseconds } = selfTest;
    const verdict = ok ? "passed" : "FAILED";
    rows.push([
      "Self-test",
      `${verdict}: matrix product off by ${worstError.toExponential(1)}, ${milliseconds.toFixed()} ms`,
    ]);
  }
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}${value}`);
  for (const { message, hint, advice } of problems) {
    lines.push("", message, ...(hint === undefined ? [] : [`Hint: ${hint}`]), ...advice.map((line) => `  - ${line}`));
  }
  lines.push("", ok ? "Upscaling works here." : "Upscaling does not work here.", "");
  return lines.join("\n");
}

/** The PCI numbers that WebGPU implementations give, and Khronos's for Mesa. */
const VENDORS: Readonly<Record<string, string>> = {
  "4098": "AMD",
  "4203": "Apple",
  "4318": "NVIDIA",
  "5045": "ARM",
  "20803": "Qualcomm",
  "32902": "Intel",
  "65541": "Mesa",
};

function vendorName(vendor: string): string {
  const name = VENDORS[vendor];
  return name === undefined ? vendor || "unknown" : `${name} (${vendor})`;
}

function bytes(count: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 2 ** (10 * unit);
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2)} M parameters`;
}
