import {
  add,
  attention,
  conv2d,
  type Gpu,
  gradients,
  groupNorm,
  layerNorm,
  matmul,
  reshape,
  scoped,
  type Shape,
  split,
  Tape,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";
import { EPS } from "../cases/group_norm_backward.ts";
import { type BlockShape, EPS as BLOCK_EPS } from "./block.ts";
import { task } from "./fluxsr_task.ts";
import type { Gradients } from "./gradients.ts";
import type { Task } from "./task.ts";

/** Our own forward and backward kernels. */
export function gradientsOn(gpu: Gpu): Gradients {
  const upload = (data: Float32Array<ArrayBuffer>, shape: Shape) => tensor(gpu, data, shape);
  return {
    linear: ({ m, k, n, x, weight, dy }) =>
      gradientTask([upload(x, [m, k]), upload(weight, [n, k])], upload(dy, [m, n]), linear),
    conv3x3: ({ side, inputs, outputs, x, weight, dy }) =>
      gradientTask(
        [upload(x, [1, side, side, inputs]), upload(weight, [3, 3, inputs, outputs])],
        upload(dy, [1, side, side, outputs]),
        (x, weight) => conv2d(x, weight, { padding: 1 }),
      ),
    attention({ tokens, heads, width, q, k, v, dy }) {
      const shape = [1, tokens, heads, width];
      return gradientTask([upload(q, shape), upload(k, shape), upload(v, shape)], upload(dy, shape), attention);
    },
    groupNormSilu({ side, channels, groups, x, weight, bias, dy }) {
      const shape = [1, side, side, channels];
      return gradientTask(
        [upload(x, shape), upload(weight, [channels]), upload(bias, [channels])],
        upload(dy, shape),
        (x, weight, bias) => groupNorm(x, { groups, weight, bias, silu: true, eps: EPS }),
      );
    },
    transformerBlock({ x, qkv, proj, up, down, dy, ...sizes }) {
      const { tokens, width } = sizes;
      const weights = [
        upload(qkv, [3 * width, width]),
        upload(proj, [width, width]),
        upload(up, [4 * width, width]),
        upload(down, [width, 4 * width]),
      ] as const;
      const shape = [1, tokens, width];
      return gradientTask([upload(x, shape), ...weights], upload(dy, shape), block(sizes));
    },
  };
}

/** The gradients of `inputs`, given that of what `forward` makes of them; all forward passes are part of the task. */
function gradientTask<T extends readonly [Tensor, ...Tensor[]]>(
  inputs: T,
  dy: Tensor,
  forward: (...inputs: T) => Tensor,
): Promise<Task> {
  const { gpu } = dy;
  const both = () => {
    using tape = new Tape(gpu);
    for (const input of inputs) tape.watch(input);
    using y = scoped(gpu, () => forward(...inputs));
    return gradients(tape, y, { seed: dy, wanted: inputs });
  };
  return Promise.resolve(task([...inputs, dy] as readonly Tensor[] as [Tensor, ...Tensor[]], both));
}

function linear(x: Tensor, weight: Tensor): Tensor {
  return matmul(x, weight, { transposeB: true });
}

function block({ tokens, width, heads }: BlockShape) {
  return (x: Tensor, qkv: Tensor, proj: Tensor, up: Tensor, down: Tensor): Tensor => {
    const rows = reshape(linear(layerNorm(x, { eps: BLOCK_EPS }), qkv), [1, tokens, 3 * heads, width / heads]);
    const [q, k, v] = split(rows, 2, [heads, heads, heads]) as [Tensor, Tensor, Tensor];
    const h = add(x, linear(reshape(attention(q, k, v), x.shape), proj));
    const hidden = matmul(layerNorm(h, { eps: BLOCK_EPS }), up, { transposeB: true, activation: "gelu" });
    return add(h, linear(hidden, down));
  };
}
