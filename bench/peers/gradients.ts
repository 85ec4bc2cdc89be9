import type { AttentionData } from "../cases/attention_backward.ts";
import type { ConvData } from "../cases/conv2d_samples.ts";
import type { GroupNormData } from "../cases/group_norm_backward.ts";
import type { LinearData } from "../cases/matmul_backward.ts";
import type { BlockData } from "./block.ts";
import type { Task } from "./task.ts";

/** Forward passes with their gradients, given that of the result: one computation is both. */
export interface Gradients {
  /** Of x and weight. */
  linear(data: LinearData): Promise<Task>;
  /** Of x and weight. */
  conv3x3(data: ConvData): Promise<Task>;
  /** Of q, k and v. */
  attention(data: AttentionData): Promise<Task>;
  /** Of x, weight and bias. */
  groupNormSilu(data: GroupNormData): Promise<Task>;
  /** Of x and the four weights. */
  transformerBlock(data: BlockData): Promise<Task>;
}
