import { conv2d, type Gpu, matmul as multiply, tensor } from "@fluxsr/kernels";
import config from "../../packages/kernels/deno.json" with { type: "json" };
import { gradientsOn } from "./fluxsr_gradients.ts";
import { task } from "./fluxsr_task.ts";
import type { Peer } from "./peer.ts";

/** Our own kernels in the form of a peer. */
export function open(gpu: Gpu): Peer {
  return {
    name: "fluxsr",
    version: config.version,
    matmul({ m, k, n, a, b }) {
      const inputs = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])] as const;
      return Promise.resolve(task(inputs, () => [multiply(...inputs)]));
    },
    conv3x3({ height, width, inputs: channels, outputs, x, weight }) {
      const inputs = [
        tensor(gpu, x, [1, height, width, channels]),
        tensor(gpu, weight, [3, 3, channels, outputs]),
      ] as const;
      return Promise.resolve(task(inputs, () => [conv2d(...inputs, { padding: 1 })]));
    },
    gradients: gradientsOn(gpu),
  };
}
