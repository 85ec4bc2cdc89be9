import { attention, conv2d, type Gpu, matmul as multiply, tensor } from "@fluxsr/kernels";
import config from "../../packages/kernels/deno.json" with { type: "json" };
import { toleranceOf } from "../check.ts";
import { gradientsOn } from "./fluxsr_gradients.ts";
import { task } from "./fluxsr_task.ts";
import type { Peer } from "./peer.ts";

/** Our own kernels in the form of a peer. */
export function open(gpu: Gpu): Peer {
  return {
    name: "fluxsr",
    version: config.version,
    tolerance: toleranceOf(gpu.adapter),
    matmul({ m, k, n, a, b }) {
      const inputs = [tensor(gpu, a, [m, k]), tensor(gpu, b, [k, n])] as const;
      return Promise.resolve(task(inputs, () => [multiply(...inputs)]));
    },
    conv3x3({ side, inputs: channels, outputs, x, weight }) {
      const inputs = [
        tensor(gpu, x, [1, side, side, channels]),
        tensor(gpu, weight, [3, 3, channels, outputs]),
      ] as const;
      return Promise.resolve(task(inputs, () => [conv2d(...inputs, { padding: 1 })]));
    },
    attention({ tokens, heads, width, q, k, v }) {
      const shape = [1, tokens, heads, width];
      const inputs = [tensor(gpu, q, shape), tensor(gpu, k, shape), tensor(gpu, v, shape)] as const;
      return Promise.resolve(task(inputs, () => [attention(...inputs)]));
    },
    gradients: gradientsOn(gpu),
  };
}
