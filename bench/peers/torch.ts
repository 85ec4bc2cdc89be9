import { TOLERANCE } from "../check.ts";
import type { Gradients } from "./gradients.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import { type Sizes, TorchProcess, type Values } from "./torch_process.ts";

/** How PyTorch computes, and how far that may be from the reference: it rounds operands to 24, 11 or 8 bits. */
const PRECISIONS = { fp32: TOLERANCE, tf32: 1e-2, bf16: 5e-2 } as const;

/**
 * PyTorch, once in each precision: on the GPU by CUDA, which no WebGPU adapter knows of. None where `python3` cannot
 * import it or it finds no GPU.
 */
export async function openTorch({ device = "cuda" } = {}): Promise<Peer[]> {
  const child = await TorchProcess.start(device);
  if (!child) return [];
  return Object.entries(PRECISIONS).map(([precision, tolerance]) => {
    const task = (op: string, arrays: readonly Values[], sizes: Sizes = {}) =>
      child.open({ op, precision, sizes }, arrays);
    return { name: `torch-${precision}`, version: child.version, tolerance, ...ops(task) };
  });
}

type Open = (op: string, arrays: readonly Values[], sizes?: Sizes) => Promise<Task>;

function ops(open: Open): Pick<Peer, "matmul" | "conv3x3" | "attention" | "gradients"> {
  return {
    matmul: ({ m, k, n, a, b }) => open("matmul", [{ values: a, shape: [m, k] }, { values: b, shape: [k, n] }]),
    conv3x3: ({ side, inputs, outputs, x, weight }) =>
      open("conv3x3", [
        { values: x, shape: [1, side, side, inputs] },
        { values: weight, shape: [3, 3, inputs, outputs] },
      ]),
    attention: ({ tokens, heads, width, q, k, v }) =>
      open("attention", [q, k, v].map((values) => ({ values, shape: [1, tokens, heads, width] }))),
    gradients: gradients(open),
  };
}

/** The same with the gradient of the result as the last array. */
function gradients(open: Open): Gradients {
  return {
    linear: ({ m, k, n, x, weight, dy }) =>
      open("linear", [
        { values: x, shape: [m, k] },
        { values: weight, shape: [n, k] },
        { values: dy, shape: [m, n] },
      ]),
    conv3x3: ({ side, inputs, outputs, x, weight, dy }) =>
      open("conv3x3", [
        { values: x, shape: [1, side, side, inputs] },
        { values: weight, shape: [3, 3, inputs, outputs] },
        { values: dy, shape: [1, side, side, outputs] },
      ]),
    attention: ({ tokens, heads, width, q, k, v, dy }) =>
      open("attention", [q, k, v, dy].map((values) => ({ values, shape: [1, tokens, heads, width] }))),
    groupNormSilu: ({ side, channels, groups, x, weight, bias, dy }) =>
      open("groupNormSilu", [
        { values: x, shape: [1, side, side, channels] },
        { values: weight, shape: [channels] },
        { values: bias, shape: [channels] },
        { values: dy, shape: [1, side, side, channels] },
      ], { groups }),
    transformerBlock: ({ tokens, width, heads, x, qkv, proj, up, down, dy }) =>
      open("transformerBlock", [
        { values: x, shape: [tokens, width] },
        { values: qkv, shape: [3 * width, width] },
        { values: proj, shape: [width, width] },
        { values: up, shape: [4 * width, width] },
        { values: down, shape: [width, 4 * width] },
        { values: dy, shape: [tokens, width] },
      ], { tokens, width, heads }),
  };
}
