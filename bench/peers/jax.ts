import { type Array as JaxArray, blockUntilReady, defaultDevice, init, jit, lax, numpy as np } from "@jax-js/jax";
import { type Conv3x3, type Matmul, type Peer, pinned, type Task } from "./peer.ts";

/** jax-js, compiled with `jit()`; its convolutions are channels first. */
export async function open(): Promise<Peer> {
  const devices = await init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("Cannot open jax-js: it found no WebGPU adapter");
  defaultDevice("webgpu");
  return { name: "jax-js", version: pinned("@jax-js/jax"), matmul, conv3x3 };
}

async function matmul({ m, k, n, a, b }: Matmul): Promise<Task> {
  return await task(np.matmul, [np.array(a).reshape([m, k]), np.array(b).reshape([k, n])]);
}

async function conv3x3({ height, width, inputs, outputs, x, weight }: Conv3x3): Promise<Task> {
  const args: JaxArray[] = [
    np.transpose(np.array(x).reshape([1, height, width, inputs]), [0, 3, 1, 2]),
    np.transpose(np.array(weight).reshape([3, 3, inputs, outputs]), [3, 2, 0, 1]),
  ];
  return await task((x, w) => lax.convGeneralDilated(x, w, [1, 1], "SAME"), args, [0, 2, 3, 1]);
}

/** `axes` is the order of the result's axes that makes it row-major, channels last. */
async function task(
  compute: (a: JaxArray, b: JaxArray) => JaxArray,
  args: JaxArray[],
  axes?: number[],
): Promise<Task> {
  const compiled = jit(compute);
  const [a, b] = await blockUntilReady(args) as [JaxArray, JaxArray];
  const once = () => compiled(a.ref, b.ref); // a call takes its arguments over: .ref keeps them
  return {
    async run(times = 1) {
      const results = Array.from({ length: times }, once);
      await blockUntilReady(results);
      for (const result of results) result.dispose();
    },
    async sample() {
      return await (axes ? np.transpose(once(), axes) : once()).data() as Float32Array;
    },
    dispose() {
      a.dispose();
      b.dispose();
    },
  };
}
