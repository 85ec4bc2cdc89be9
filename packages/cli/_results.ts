import type { Model } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { duration } from "./_progress.ts";

/** A finished picture, as `--json` prints it. */
export interface Done {
  readonly input: string;
  readonly output: string;
  readonly width: number;
  readonly height: number;
  readonly tile: { readonly width: number; readonly height: number };
  readonly tiles: number;
  /** Milliseconds by stage, those of the GPU over all tiles. */
  readonly stages: Readonly<Record<string, number>>;
  /** From reading to writing, without the loading of the model. */
  readonly milliseconds: number;
  /** The most GPU memory that was held up to here, weights included. */
  readonly peakGpuBytes: number;
  /** Size of the file. */
  readonly bytes: number;
  readonly notes: readonly string[];
  readonly compare?: {
    readonly output: string;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
  };
}

/** An input that could not be upscaled, as `--json` prints it. */
export interface Failed {
  readonly input: string;
  readonly error: string;
  readonly hint?: string;
}

export type Result = Done | Failed;

/** The one JSON object of `--json`. `adapter` and `model` are null if the work did not get that far. */
export function jsonReport({ scale, results, gpu, model, milliseconds }: {
  scale: number;
  results: readonly Result[];
  gpu: Gpu | undefined;
  model: Model | undefined;
  milliseconds: number;
}): string {
  const adapter = gpu &&
    { description: gpu.adapter.description, vendor: gpu.adapter.vendor, software: gpu.adapter.software };
  const report = {
    adapter: adapter ?? null,
    model: model ? { name: model.name, path: model.path } : null,
    scale,
    results,
    peakGpuBytes: gpu?.memory.peak ?? 0,
    milliseconds,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** `a.png -> a_x4.png (160 x 120, 2 tiles, 3 s)` and a line per note. */
export function finishedLine({ input, output, compare, width, height, tiles, milliseconds, notes }: Done): string {
  const count = tiles === 1 ? "1 tile" : `${tiles} tiles`;
  const both = compare ? `${output}, ${compare.output}` : output;
  const lines = [
    `${input} -> ${both} (${width} x ${height}, ${count}, ${duration(milliseconds / 1000)})`,
    ...notes.map((note) => `  ${note}`),
  ];
  return lines.map((line) => `${line.replace(/\p{Cc}/gu, " ")}\n`).join("");
}
