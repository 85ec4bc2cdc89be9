import type { AttentionData } from "../cases/attention_backward.ts";
import type { ConvData } from "../cases/conv2d_samples.ts";
import { model, node } from "./onnx_model.ts";
import { task } from "./ort_task.ts";
import { type Matmul, type Peer, pinned } from "./peer.ts";
import type { Task } from "./task.ts";

/** ONNX Runtime with its WebGPU provider: models of one operator, inference only. */
export function open(): Promise<Peer> {
  return Promise.resolve({ name: "ort-web", version: pinned("onnxruntime-web"), matmul, conv3x3, attention });
}

function matmul({ m, k, n, a, b }: Matmul): Promise<Task> {
  const inputs = [{ name: "a", shape: [m, k], values: a }, { name: "b", shape: [k, n], values: b }];
  const product = node("MatMul", { inputs: ["a", "b"], outputs: ["y"] });
  return task(model([product], { inputs, outputs: [{ name: "y", shape: [m, n] }] }), inputs);
}

/** ONNX is channels first, the provider channels last: its optimiser drops the transpositions around the convolution. */
function conv3x3({ side, inputs, outputs, x, weight }: ConvData): Promise<Task> {
  const input = { name: "x", shape: [1, side, side, inputs], values: x };
  const filters = new Float32Array(weight.length); // [C_out, C_in, 3, 3]
  for (let i = 0; i < weight.length; i++) {
    const [tap, channel, filter] = [Math.floor(i / (inputs * outputs)), Math.floor(i / outputs) % inputs, i % outputs];
    filters[(filter * inputs + channel) * 9 + tap] = weight[i]!;
  }
  const nodes = [
    node("Transpose", { inputs: ["x"], outputs: ["first"], attributes: { perm: [0, 3, 1, 2] } }),
    node("Conv", { inputs: ["first", "w"], outputs: ["sums"], attributes: { pads: [1, 1, 1, 1] } }),
    node("Transpose", { inputs: ["sums"], outputs: ["y"], attributes: { perm: [0, 2, 3, 1] } }),
  ];
  const constants = [{ name: "w", shape: [outputs, inputs, 3, 3], values: filters }];
  const result = { name: "y", shape: [1, side, side, outputs] };
  return task(model(nodes, { inputs: [input], outputs: [result], constants }), [input]);
}

/** By the operator of its own that is made for it. */
function attention({ tokens, heads, width, q, k, v }: AttentionData): Promise<Task> {
  const shape = [1, tokens, heads * width];
  const inputs = [{ name: "q", shape, values: q }, { name: "k", shape, values: k }, { name: "v", shape, values: v }];
  const whole = node("MultiHeadAttention", {
    inputs: ["q", "k", "v"],
    outputs: ["y"],
    domain: "com.microsoft",
    attributes: { num_heads: heads },
  });
  return task(model([whole], { inputs, outputs: [{ name: "y", shape }] }), inputs);
}
