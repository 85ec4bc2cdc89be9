import * as tf from "@tensorflow/tfjs-core";
import { EPS } from "../cases/group_norm_backward.ts";
import type { AttentionShape } from "../shapes/attention.ts";
import { type BlockShape, EPS as BLOCK_EPS } from "./block.ts";
import type { Gradients } from "./gradients.ts";
import type { Task } from "./task.ts";
import { task } from "./tfjs_task.ts";

/** Forward and backward passes by `tf.grads`, composed of the library's ops where it has no larger one. */
export const gradients: Gradients = {
  linear: ({ m, k, n, x, weight, dy }) =>
    gradientTask([tf.tensor(x, [m, k]), tf.tensor(weight, [n, k])], tf.tensor(dy, [m, n]), linear),
  conv3x3: ({ side, inputs, outputs, x, weight, dy }) =>
    gradientTask(
      [tf.tensor(x, [1, side, side, inputs]), tf.tensor(weight, [3, 3, inputs, outputs])],
      tf.tensor(dy, [1, side, side, outputs]),
      (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
    ),
  attention: ({ q, k, v, dy, ...sizes }) =>
    gradientTask([byHead(q, sizes), byHead(k, sizes), byHead(v, sizes)], byHead(dy, sizes), attend, [1, 0, 2]),
  groupNormSilu({ side, channels, groups, x, weight, bias, dy }) {
    const shape = [side ** 2, channels];
    return gradientTask(
      [tf.tensor(x, shape), tf.tensor(weight), tf.tensor(bias)],
      tf.tensor(dy, shape),
      (x, weight, bias) => {
        const parts = tf.reshape(x!, [side ** 2, groups, channels / groups]);
        const normal = tf.reshape(standardised(parts, { axes: [0, 2], eps: EPS }), shape);
        const z = tf.add(tf.mul(normal, weight!), bias!);
        return tf.mul(z, tf.sigmoid(z));
      },
    );
  },
  transformerBlock({ x, qkv, proj, up, down, dy, ...sizes }) {
    const { tokens, width } = sizes;
    const weights = [
      tf.tensor(qkv, [3 * width, width]),
      tf.tensor(proj, [width, width]),
      tf.tensor(up, [4 * width, width]),
      tf.tensor(down, [width, 4 * width]),
    ];
    return gradientTask([tf.tensor(x, [tokens, width]), ...weights], tf.tensor(dy, [tokens, width]), block(sizes));
  },
};

function gradientTask(
  inputs: tf.Tensor[],
  dy: tf.Tensor,
  forward: (...inputs: tf.Tensor[]) => tf.Tensor,
  axes?: number[],
): Promise<Task> {
  const both = tf.grads(forward);
  return task([...inputs, dy], (...all) => both(all.slice(0, -1), all.at(-1)), axes);
}

function linear(x?: tf.Tensor, weight?: tf.Tensor): tf.Tensor {
  return tf.matMul(x!, weight!, false, true);
}

/** From [tokens, heads, head size] to [heads, tokens, head size]. */
export function byHead(values: Float32Array, { tokens, heads, width }: AttentionShape): tf.Tensor {
  return tf.transpose(tf.tensor(values, [tokens, heads, width]), [1, 0, 2]);
}

/** q, k, v [heads, tokens, head size]. */
export function attend(q?: tf.Tensor, k?: tf.Tensor, v?: tf.Tensor): tf.Tensor {
  const scores = tf.mul(tf.matMul(q!, k!, false, true), 1 / Math.sqrt(q!.shape[2]!));
  return tf.matMul(tf.softmax(scores), v!);
}

function standardised(x: tf.Tensor, { axes, eps }: { axes: number[]; eps: number }): tf.Tensor {
  const { mean, variance } = tf.moments(x, axes, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps)));
}

/** In the tanh form. */
function gelu(x: tf.Tensor): tf.Tensor {
  const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))));
  return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
}

function block({ tokens, width, heads }: BlockShape) {
  const normalised = (x: tf.Tensor) => standardised(x, { axes: [1], eps: BLOCK_EPS });
  return (...[x, qkv, proj, up, down]: tf.Tensor[]): tf.Tensor => {
    const rows = tf.reshape(linear(normalised(x!), qkv), [tokens, 3, heads, width / heads]);
    const [q, k, v] = tf.unstack(tf.transpose(rows, [1, 2, 0, 3]));
    const attended = tf.reshape(tf.transpose(attend(q, k, v), [1, 0, 2]), [tokens, width]);
    const h = tf.add(x!, linear(attended, proj));
    return tf.add(h, linear(gelu(linear(normalised(h), up)), down));
  };
}
