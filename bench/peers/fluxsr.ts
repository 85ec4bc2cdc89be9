import { conv2d, type Gpu, matmul as multiply, read, type Tensor, tensor } from "@fluxsr/kernels";
import version from "../../packages/kernels/deno.json" with { type: "json" };
import type { Conv3x3, Matmul, Task } from "./peer.ts";

/** A task of ours, which can also be recorded alone, to be timed by timestamps. */
export interface OwnTask extends Task {
  record(): Tensor;
}

/** Our kernels in the form of a peer. */
export function open(gpu: Gpu) {
  return {
    name: "fluxsr",
    version: version.version,
    matmul({ m, k, n, a, b }: Matmul): Promise<OwnTask> {
      const inputs = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])] as const;
      return Promise.resolve(task(gpu, inputs, () => multiply(...inputs)));
    },
    conv3x3({ height, width, inputs: channels, outputs, x, weight }: Conv3x3): Promise<OwnTask> {
      const inputs = [
        tensor(gpu, x, [1, height, width, channels]),
        tensor(gpu, weight, [3, 3, channels, outputs]),
      ] as const;
      return Promise.resolve(task(gpu, inputs, () => conv2d(...inputs, { padding: 1 })));
    },
  };
}

function task(gpu: Gpu, inputs: readonly Tensor[], record: () => Tensor): OwnTask {
  return {
    record,
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
