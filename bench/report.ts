import type { AdapterSummary } from "@fluxsr/kernels";
import kernels from "../packages/kernels/deno.json" with { type: "json" };
import type { Ceilings } from "./ceilings/ceilings.ts";
import type { Times } from "./measure.ts";
import { pinned } from "./peers/peer.ts";
import type { Race } from "./peers/race.ts";

/**
 * One measured line: median milliseconds of `runs` with the quartiles, rates, and shares (0..1) of the adapter's ceilings.
 */
export interface ResultRow extends Times {
  readonly name: string;
  readonly shape: string;
  readonly origin: string;
  readonly gflops?: number;
  readonly gbytes?: number;
  readonly of_fma?: number;
  readonly of_copy?: number;
}

/** What `--json` writes. */
export interface Report {
  /** When the run began, UTC. */
  readonly date: string;
  readonly adapter: Pick<AdapterSummary, "description" | "vendor" | "software"> & { readonly cores: number };
  /** The WebGPU implementation, and whether products might use matrix units. */
  readonly gpu: { readonly provider: string; readonly matrices: boolean };
  readonly versions: Readonly<Record<string, string>>;
  readonly ceilings: Ceilings;
  readonly rows: readonly ResultRow[];
  /** With `--peers`. */
  readonly races?: readonly Race[];
}

/** What ran where: the head of a report. */
export function heading(
  { description, vendor, software, matrices }: AdapterSummary,
  { provider }: { readonly provider: string },
): Pick<Report, "date" | "adapter" | "gpu" | "versions"> {
  return {
    date: new Date().toISOString(),
    adapter: { description, vendor, software, cores: navigator.hardwareConcurrency },
    gpu: { provider, matrices: matrices.length > 0 },
    versions: {
      fluxsr: kernels.version,
      deno: Deno.version.deno,
      "jax-js": pinned("@jax-js/jax"),
      tfjs: pinned("@tensorflow/tfjs-core"),
      "ort-web": pinned("onnxruntime-web"),
    },
  };
}
