import type { KernelFeature } from "./features.ts";

/** What an adapter is, in words and numbers. */
export interface AdapterSummary {
  readonly description: string;
  readonly vendor: string;
  /** A CPU behind the GPU interface (llvmpipe, SwiftShader): workgroup memory costs more than it saves there. */
  readonly software: boolean;
  /** WebGPU's names of what the device was opened with. */
  readonly features: readonly string[];
  /** The features whose `enable` line belongs on top of the WGSL that uses them: compilers differ. */
  readonly enables: readonly KernelFeature[];
  /** The fewest and most lanes of a subgroup, where kernels may use subgroups. */
  readonly subgroups: { readonly min: number; readonly max: number } | undefined;
  /** Bytes of workgroup memory that a kernel may use. */
  readonly workgroupMemory: number;
  /** The products that the matrix units of a subgroup do; none where kernels cannot use them, or are not to. */
  readonly matrices: readonly MatrixConfig[];
}

/** A product `[m, k] x [k, n]` in the hardware, of operands of type `operands`, summed up in type `result`. */
export interface MatrixConfig {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly operands: string;
  readonly result: string;
}

/** Whether subgroups have 8 lanes always, as on llvmpipe: kernels that pass values between so many are then chosen. */
export function hasEightLanes({ subgroups }: AdapterSummary): boolean {
  return subgroups?.min === 8 && subgroups.max === 8;
}

/** Intel's number among PCI vendors, as Deno has it, and its name, as Dawn has it. */
const INTEL = ["32902", "intel"];

/**
 * Whether a thread has few registers, as on Intel's GPUs: 128 where others have 255. Compilers there put what a tile of
 * 8 x 8 sums needs into memory, and not that of 4 x 8.
 */
export function hasFewRegisters({ vendor }: AdapterSummary): boolean {
  return INTEL.includes(vendor);
}
