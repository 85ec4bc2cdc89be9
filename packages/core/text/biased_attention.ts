import {
  concat,
  matmul,
  permute,
  reshape,
  scoped,
  type ScoreAddend,
  softmax,
  split,
  type Tensor,
} from "@fluxsr/kernels";
import { evenParts } from "./even_parts.ts";

type Operands = readonly [q: Tensor, k: Tensor, v: Tensor];

/**
 * Attention with an addend to the scores, `softmax(scale q k^T + addend) v`: `q, k, v [B, L, H D] -> [B, L, H D]`. The
 * addend is a bias [L, L] for all heads, or distances [H, 2 L - 1].
 *
 * Where the scores [B, H, L, L] are more than the adapter's limit for a buffer, some heads are done after the others.
 *
 * @throws {BufferLimitError} if the scores of one head are more than that
 */
export function biasedAttention(
  operands: Operands,
  { heads, scale, addend }: { heads: number; scale: number; addend: ScoreAddend },
): Tensor {
  const [{ gpu, shape }] = operands;
  const [batch = 0, tokens = 0, width = 0] = shape;
  const toHeads = (x: Tensor) => permute(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
  const parts = evenParts(heads, { bytesEach: 4 * batch * tokens * tokens, largest: gpu.buffers.largest });
  const out = inParts(operands.map(toHeads) as [Tensor, Tensor, Tensor], { scale, addend, parts });
  return reshape(permute(out, [0, 2, 1, 3]), shape);
}

/** `q, k, v [B, H, L, D] -> [B, H, L, D]`, so many heads at a time as `parts` says. */
function inParts(
  operands: Operands,
  { scale, addend, parts }: { scale: number; addend: ScoreAddend; parts: readonly number[] },
): Tensor {
  if (parts.length === 1) return attend(operands, { scale, addend });
  const [q, k, v] = operands.map((x) => split(x, 1, parts)) as [Tensor[], Tensor[], Tensor[]];
  const addends = "distances" in addend
    ? split(addend.distances, 0, parts).map((distances) => ({ distances }))
    : parts.map(() => addend);
  const outs = parts.map((_, i) =>
    scoped(q[i]!.gpu, () => attend([q[i]!, k[i]!, v[i]!], { scale, addend: addends[i]! }))
  );
  return concat(outs, 1);
}

function attend([q, k, v]: Operands, { scale, addend }: { scale: number; addend: ScoreAddend }): Tensor {
  const scores = matmul(q, k, { transposeB: true, alpha: scale });
  return matmul(softmax(scores, addend), v);
}
