import { combine, scoped, type Tensor, totalVariation } from "@fluxsr/kernels";
import type { Lpips } from "./lpips.ts";

/**
 * TV-LPIPS, Eq. 19-20: `LPIPS(I, I_0) + gamma LPIPS(TV(I), TV(I_0))`, `image, reference [B, h, w, 3] -> [B]`.
 *
 * The second term compares edges, so that the periodic patterns that LPIPS alone lets pass are seen. Total variations
 * are given to LPIPS as they are, like pictures. Only `image` has a gradient.
 */
export function tvLpips(
  image: Tensor,
  reference: Tensor,
  { lpips, gamma }: { lpips: Lpips; gamma: number },
): Tensor {
  return scoped(image.gpu, () => {
    const pictures = lpips.forward(image, reference);
    const edges = lpips.forward(totalVariation(image), totalVariation(reference));
    return combine(pictures, edges, { beta: gamma });
  });
}
