import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";
import { type Conv3x3, type Matmul, type Peer, pinned, type Task } from "./peer.ts";

/** TensorFlow.js on its WebGPU backend. */
export async function open(): Promise<Peer> {
  if (!await tf.setBackend("webgpu")) throw new Error("Cannot open TensorFlow.js: it found no WebGPU adapter");
  await tf.ready();
  return { name: "tfjs", version: pinned("@tensorflow/tfjs-core"), matmul, conv3x3 };
}

async function matmul({ m, k, n, a, b }: Matmul): Promise<Task> {
  return await task((a, b) => tf.matMul(a, b), tf.tensor(a, [m, k]), tf.tensor(b, [k, n]));
}

async function conv3x3({ height, width, inputs, outputs, x, weight }: Conv3x3): Promise<Task> {
  const compute = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
  return await task(compute, tf.tensor(x, [1, height, width, inputs]), tf.tensor(weight, [3, 3, inputs, outputs]));
}

async function task(compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, a: tf.Tensor, b: tf.Tensor): Promise<Task> {
  const run = async (times = 1) => {
    const results = Array.from({ length: times }, () => compute(a, b));
    // The library has no call that waits for the queue: one value of the last result is read back.
    const last = results[times - 1] as tf.Tensor;
    const value = tf.slice(last, last.shape.map(() => 0), last.shape.map(() => 1));
    await value.data();
    tf.dispose([...results, value]);
  };
  await run(); // uploads the inputs
  return {
    run,
    async sample() {
      const result = compute(a, b);
      const values = await result.data() as Float32Array;
      result.dispose();
      return values;
    },
    dispose: () => tf.dispose([a, b]),
  };
}
