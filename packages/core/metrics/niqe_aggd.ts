import gamma from "@stdlib/math-base-special-gamma";

/**
 * An asymmetric generalised normal distribution: density in proportion to `exp(-(|x| / beta)^alpha)`, where beta is
 * `left` for x < 0 and `right` otherwise.
 */
export interface Aggd {
  readonly alpha: number;
  readonly left: number;
  readonly right: number;
}

/** The shapes that are tried: 0.2, 0.201, ..., 10. */
const SHAPES = { first: 0.2, step: 0.001, count: 9801 };

/** What {@linkcode shapeRatio} is for each of the shapes. */
let ratios: Float64Array | undefined;

/**
 * Fits by moments (Lasmar, Stitou, Berthoumieu: Multiscale Skewed Heavy Tailed Model for Texture Analysis, 2009): with
 * deviations `l`, `r` of the values below and above 0, `g = l / r` and
 * `R = E[|x|]^2 / E[x^2] (g^3 + 1)(g + 1) / (g^2 + 1)^2`, alpha is where `G(2/a)^2 / (G(1/a) G(3/a))` is nearest to R, and
 * `beta = {l, r} sqrt(G(1/alpha) / G(3/alpha))`, G the gamma function.
 *
 * @returns `left` and `right` are NaN if there is no value on their side of 0
 */
export function fitAggd(values: Float64Array): Aggd {
  const below = { sum: 0, squares: 0, count: 0 };
  const above = { sum: 0, squares: 0, count: 0 };
  for (const value of values) {
    if (value === 0) continue;
    const side = value < 0 ? below : above;
    side.sum += Math.abs(value);
    side.squares += value * value;
    side.count++;
  }
  const l = Math.sqrt(below.squares / below.count);
  const r = Math.sqrt(above.squares / above.count);
  const g = l / r;
  const flatness = ((below.sum + above.sum) / values.length) ** 2 / ((below.squares + above.squares) / values.length);
  const alpha = nearestShape(flatness * (g ** 3 + 1) * (g + 1) / (g ** 2 + 1) ** 2);
  const scale = Math.sqrt(gamma(1 / alpha) / gamma(3 / alpha));
  return { alpha, left: l * scale, right: r * scale };
}

function nearestShape(ratio: number): number {
  ratios ??= Float64Array.from({ length: SHAPES.count }, (_, i) => shapeRatio(shape(i)));
  let nearest = 0;
  for (let i = 1; i < ratios.length; i++) {
    if (Math.abs(ratios[i]! - ratio) < Math.abs(ratios[nearest]! - ratio)) nearest = i;
  }
  return shape(nearest);
}

function shape(i: number): number {
  return SHAPES.first + i * SHAPES.step;
}

/** `E[|x|]^2 / E[x^2]` of the symmetric distribution. */
function shapeRatio(alpha: number): number {
  return gamma(2 / alpha) ** 2 / (gamma(1 / alpha) * gamma(3 / alpha));
}
