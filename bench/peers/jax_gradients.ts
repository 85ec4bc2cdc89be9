import { type Array as JaxArray, lax, nn, numpy as np, vjp } from "@jax-js/jax";
import { EPS } from "../cases/group_norm_backward.ts";
import { type BlockShape, EPS as BLOCK_EPS } from "./block.ts";
import type { Gradients } from "./gradients.ts";
import { task } from "./jax_task.ts";
import type { Task } from "./task.ts";

/** Forward and backward passes by `vjp`, compiled as one. Each use of an array takes it over, but for its `.ref`. */
export const gradients: Gradients = {
  linear: ({ m, k, n, x, weight, dy }) =>
    gradientTask([array(x, [m, k]), array(weight, [n, k])], array(dy, [m, n]), linear),
  conv3x3({ side, inputs, outputs, x, weight, dy }) {
    const first = (values: Float32Array<ArrayBuffer>, channels: number) =>
      np.transpose(array(values, [1, side, side, channels]), [0, 3, 1, 2]);
    const w = np.transpose(array(weight, [3, 3, inputs, outputs]), [3, 2, 0, 1]);
    return gradientTask(
      [first(x, inputs), w],
      first(dy, outputs),
      (x, w) => lax.convGeneralDilated(x, w, [1, 1], "SAME"),
      [[0, 2, 3, 1], [2, 3, 1, 0]],
    );
  },
  attention({ tokens, heads, width, q, k, v, dy }) {
    const shape = [tokens, heads, width];
    return gradientTask(
      [array(q, shape), array(k, shape), array(v, shape)],
      array(dy, shape),
      (q, k, v) => nn.dotProductAttention(q, k, v),
    );
  },
  groupNormSilu({ side, channels, groups, x, weight, bias, dy }) {
    const shape = [side ** 2, channels];
    return gradientTask(
      [array(x, shape), np.array(weight), np.array(bias)],
      array(dy, shape),
      (x, weight, bias) => {
        const parts = x.reshape([side ** 2, groups, channels / groups]);
        const normal = nn.standardize(parts, [0, 2], { epsilon: EPS }).reshape(shape);
        return nn.silu(normal.mul(weight).add(bias));
      },
    );
  },
  transformerBlock({ x, qkv, proj, up, down, dy, ...sizes }) {
    const { tokens, width } = sizes;
    const weights = [
      array(qkv, [3 * width, width]),
      array(proj, [width, width]),
      array(up, [4 * width, width]),
      array(down, [width, 4 * width]),
    ] as const;
    return gradientTask([array(x, [tokens, width]), ...weights], array(dy, [tokens, width]), block(sizes));
  },
};

function array(values: Float32Array<ArrayBuffer>, shape: number[]): JaxArray {
  return np.array(values).reshape(shape);
}

function gradientTask<T extends readonly JaxArray[]>(
  inputs: T,
  dy: JaxArray,
  forward: (...inputs: [...T]) => JaxArray,
  axes?: number[][],
): Promise<Task> {
  const both = (...all: JaxArray[]) => {
    const [y, pull] = vjp(forward as (...inputs: JaxArray[]) => JaxArray, all.slice(0, -1));
    return [...pull(all.at(-1)!), y]; // y is a result too, lest the compiler leave its computation out
  };
  return task([...inputs, dy], both, axes);
}

function linear(x: JaxArray, weight: JaxArray): JaxArray {
  return np.matmul(x, np.transpose(weight));
}

function block({ tokens, width, heads }: BlockShape) {
  const normalised = (x: JaxArray) => nn.standardize(x, -1, { epsilon: BLOCK_EPS });
  return (x: JaxArray, qkv: JaxArray, proj: JaxArray, up: JaxArray, down: JaxArray): JaxArray => {
    const rows = linear(normalised(x.ref), qkv).reshape([tokens, 3 * heads, width / heads]);
    const [q, k, v] = np.split(rows, 3, 1) as [JaxArray, JaxArray, JaxArray];
    const h = x.add(linear(nn.dotProductAttention(q, k, v).reshape([tokens, width]), proj));
    return h.ref.add(linear(nn.gelu(linear(normalised(h), up)), down));
  };
}
