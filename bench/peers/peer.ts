import config from "../../deno.json" with { type: "json" };
import type { AttentionData } from "../cases/attention_backward.ts";
import type { ConvData } from "../cases/conv2d_samples.ts";
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

/**
 * Another library that computes on the same adapter, or on the same GPU in another way. Inputs get the layout that it likes
 * best before anything is timed. Convolutions are 3x3 with stride 1.
 */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** How far its results may be from the reference, where it rounds operands; by default as far as ours. */
  readonly tolerance?: number;
  matmul(data: Matmul): Promise<Task>;
  conv3x3?(data: ConvData): Promise<Task>;
  attention?(data: AttentionData): Promise<Task>;
  /** Forward and backward passes, as the library differentiates them. */
  readonly gradients?: Gradients;
}

/** The version of an npm package that deno.json pins. */
export function pinned(name: keyof typeof config.imports): string {
  return config.imports[name].split("@").at(-1) ?? "";
}
