import { affine, combine, exp, mean, multiply, scoped, type Tensor } from "@fluxsr/kernels";

/**
 * Kullback-Leibler divergence of a diagonal Gaussian from the standard normal one, the mean over all its elements:
 * `mean((mu^2 + exp(logvar) - 1 - logvar) / 2)`, equal shapes -> [1]
 * (Kingma and Welling, https://arxiv.org/abs/1312.6114, appendix B).
 *
 * Latent diffusion adds up the elements of a sample and weights by 1e-6; the weight of the mean is that times their
 * number.
 */
export function klDivergence(mu: Tensor, logvar: Tensor): Tensor {
  return scoped(mu.gpu, () => {
    const spread = combine(exp(logvar), logvar, { beta: -1 });
    const total = combine(multiply(mu, mu), affine(spread, { offset: -1 }));
    return affine(mean(total), { scale: 0.5 });
  });
}
