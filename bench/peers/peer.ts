import config from "../../deno.json" with { type: "json" };
import type { Gradients } from "./gradients.ts";
import type { Task } from "./task.ts";

/** `a [M, K] b [K, N] -> [M, N]` */
export interface Matmul {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/** Stride 1, zero padding 1: `x [1, height, width, C_in], weight [3, 3, C_in, C_out] -> [1, height, width, C_out]` */
export interface Conv3x3 {
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
}

/** Another library that computes on the same adapter. Inputs get the layout that it likes best before anything is timed. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  matmul(options: Matmul): Promise<Task>;
  conv3x3?(options: Conv3x3): Promise<Task>;
  /** Forward and backward passes, as the library differentiates them. */
  readonly gradients?: Gradients;
}

/** The version of an npm package that deno.json pins. */
export function pinned(name: keyof typeof config.imports): string {
  return config.imports[name].split("@").at(-1) ?? "";
}
