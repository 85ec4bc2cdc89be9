import { matmul, permute, reshape, softmax, type Tensor } from "@fluxsr/kernels";

/**
 * Attention with an addend to the scores, `softmax(scale q k^T + bias) v`: `q, k, v [B, L, H D] -> [B, L, H D]`. The bias
 * is [L, L], or [H, L, L] where heads differ.
 */
export function biasedAttention(
  [q, k, v]: readonly [Tensor, Tensor, Tensor],
  { heads, scale, bias }: { heads: number; scale: number; bias: Tensor },
): Tensor {
  const [batch = 0, tokens = 0, width = 0] = q.shape;
  const toHeads = (x: Tensor) => permute(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
  const scores = matmul(toHeads(q), toHeads(k), { transposeB: true, alpha: scale });
  const out = matmul(softmax(scores, { bias }), toHeads(v));
  return reshape(permute(out, [0, 2, 1, 3]), q.shape);
}
