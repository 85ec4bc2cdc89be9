import { conv2d, type Gpu, matmul as multiply, read, type Tensor, tensor } from "@fluxsr/kernels";
import config from "../../packages/kernels/deno.json" with { type: "json" };
import type { Peer, Task } from "./peer.ts";

/** Our own kernels in the form of a peer. */
export function open(gpu: Gpu): Peer {
  return {
    name: "fluxsr",
    version: config.version,
    matmul({ m, k, n, a, b }) {
      const inputs = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])] as const;
      return Promise.resolve(task(inputs, () => multiply(...inputs)));
    },
    conv3x3({ height, width, inputs: channels, outputs, x, weight }) {
      const inputs = [
        tensor(gpu, x, [1, height, width, channels]),
        tensor(gpu, weight, [3, 3, channels, outputs]),
      ] as const;
      return Promise.resolve(task(inputs, () => conv2d(...inputs, { padding: 1 })));
    },
  };
}

function task(inputs: readonly [Tensor, Tensor], record: () => Tensor): Task {
  const { gpu } = inputs[0];
  return {
    async run(times = 1) {
      const results = Array.from({ length: times }, record);
      await gpu.sync();
      for (const result of results) result.dispose();
    },
    async sample() {
      using result = record();
      const [values = new Float32Array()] = await read(result);
      return values;
    },
    dispose() {
      for (const input of inputs) input.dispose();
      gpu.trim();
    },
  };
}
