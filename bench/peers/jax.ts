import { defaultDevice, init, lax, nn, numpy as np } from "@jax-js/jax";
import type { AttentionData } from "../cases/attention_backward.ts";
import type { ConvData } from "../cases/conv2d_samples.ts";
import { gradients } from "./jax_gradients.ts";
import { task } from "./jax_task.ts";
import { type Matmul, type Peer, pinned } from "./peer.ts";
import type { Task } from "./task.ts";

/** jax-js, compiled with `jit()`; its convolutions are channels first. */
export async function open(): Promise<Peer> {
  const devices = await init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("Cannot open jax-js: it found no WebGPU adapter");
  defaultDevice("webgpu");
  return { name: "jax-js", version: pinned("@jax-js/jax"), matmul, conv3x3, attention, gradients };
}

async function matmul({ m, k, n, a, b }: Matmul): Promise<Task> {
  return await task([np.array(a).reshape([m, k]), np.array(b).reshape([k, n])], (a, b) => [np.matmul(a!, b!)]);
}

async function conv3x3({ side, inputs, outputs, x, weight }: ConvData): Promise<Task> {
  const args = [
    np.transpose(np.array(x).reshape([1, side, side, inputs]), [0, 3, 1, 2]),
    np.transpose(np.array(weight).reshape([3, 3, inputs, outputs]), [3, 2, 0, 1]),
  ];
  return await task(args, (x, w) => [lax.convGeneralDilated(x!, w!, [1, 1], "SAME")], [[0, 2, 3, 1]]);
}

async function attention({ tokens, heads, width, q, k, v }: AttentionData): Promise<Task> {
  const args = [q, k, v].map((values) => np.array(values).reshape([tokens, heads, width]));
  return await task(args, (q, k, v) => [nn.dotProductAttention(q!, k!, v!)]);
}
