import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";
import type { AttentionData } from "../cases/attention_backward.ts";
import type { ConvData } from "../cases/conv2d_samples.ts";
import { type Matmul, type Peer, pinned } from "./peer.ts";
import type { Task } from "./task.ts";
import { attend, byHead, gradients } from "./tfjs_gradients.ts";
import { registerGradients } from "./tfjs_register_gradients.ts";
import { task } from "./tfjs_task.ts";

/** TensorFlow.js on its WebGPU backend. */
export async function open(): Promise<Peer> {
  if (!await tf.setBackend("webgpu")) throw new Error("Cannot open TensorFlow.js: it found no WebGPU adapter");
  await tf.ready();
  await registerGradients();
  return { name: "tfjs", version: pinned("@tensorflow/tfjs-core"), matmul, conv3x3, attention, gradients };
}

async function matmul({ m, k, n, a, b }: Matmul): Promise<Task> {
  return await task([tf.tensor(a, [m, k]), tf.tensor(b, [k, n])], (a, b) => [tf.matMul(a!, b!)]);
}

async function conv3x3({ side, inputs, outputs, x, weight }: ConvData): Promise<Task> {
  const args = [tf.tensor(x, [1, side, side, inputs]), tf.tensor(weight, [3, 3, inputs, outputs])];
  return await task(args, (x, w) => [tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same")]);
}

async function attention({ q, k, v, ...sizes }: AttentionData): Promise<Task> {
  return await task([byHead(q, sizes), byHead(k, sizes), byHead(v, sizes)], (q, k, v) => [attend(q, k, v)], [1, 0, 2]);
}
