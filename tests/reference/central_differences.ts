/** Truncation leaves the square of this, rounding of f64 1e-16 / STEP: both far below what f32 can show. */
const STEP = 1e-4;

/** The slope at 0 of `loss` of a distance. */
export function slope(loss: (distance: number) => number): number {
  return (loss(STEP) - loss(-STEP)) / (2 * STEP);
}
