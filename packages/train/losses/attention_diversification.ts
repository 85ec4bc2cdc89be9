import { concat, cosineToMean, mean, scoped, type Tensor } from "@fluxsr/kernels";

/**
 * Eq. 22: the mean cosine of the tokens of a layer with their mean token, `features [B, L, D] -> [1]`. The lower it is,
 * the less alike the tokens are.
 *
 * @param options.eps added to the product of lengths that divides; default 1e-8
 */
export function layerDiversity(features: Tensor, options: { eps?: number } = {}): Tensor {
  return scoped(features.gpu, () => mean(cosineToMean(features, options)));
}

/**
 * The attention diversification loss, Eq. 23: the mean of Eq. 22 over layers. Tokens of FLUX's attention that are too
 * much alike show as a periodic pattern.
 *
 * @param layers {@linkcode layerDiversity} of the picture tokens of each layer, so that no layer has to be kept; [1] each
 * @returns the loss [1]
 */
export function attentionDiversification(layers: readonly Tensor[]): Tensor {
  const [first] = layers;
  if (!first) {
    throw new RangeError("Cannot compute the attention diversification loss: there must be layers: none given");
  }
  return scoped(first.gpu, () => mean(concat(layers, 0)));
}
