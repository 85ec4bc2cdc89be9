import { absolute, add, mean, multiply, scoped, split, subtract, type Tensor } from "@fluxsr/kernels";

/** `mean((x - target)^2)`, any equal shapes -> [1]: of pictures the first part of Eq. 21. */
export function meanSquaredError(x: Tensor, target: Tensor): Tensor {
  return scoped(x.gpu, () => {
    const residual = subtract(x, target);
    return mean(multiply(residual, residual));
  });
}

/** `mean(|x - target|)`, any equal shapes -> [1]; the derivative at 0 is 0. */
export function meanAbsoluteError(x: Tensor, target: Tensor): Tensor {
  return scoped(x.gpu, () => mean(absolute(subtract(x, target))));
}

/**
 * How much the edges of two pictures differ: the mean absolute error of the differences between neighbours, those below
 * each other and those beside each other added: `x, target [B, h, w, C] -> [1]`, with h and w at least 2.
 */
export function imageGradientError(x: Tensor, target: Tensor): Tensor {
  return scoped(x.gpu, () => {
    const residual = subtract(x, target);
    const [vertical, horizontal] = [1, 2].map((axis) => mean(absolute(neighbourDifferences(residual, axis))));
    return add(vertical!, horizontal!);
  });
}

/** `x[..., i + 1, ...] - x[..., i, ...]` along `axis`, one fewer than x has. */
function neighbourDifferences(x: Tensor, axis: number): Tensor {
  const rest = (x.shape[axis] ?? 0) - 1;
  const [, next] = split(x, axis, [1, rest]);
  const [before] = split(x, axis, [rest, 1]);
  return subtract(next!, before!);
}
