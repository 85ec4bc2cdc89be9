/** Where FLUX's time shift starts and ends (flux/sampling.py, get_schedule). */
export interface Shift {
  /** mu at 256 tokens */
  readonly base_shift: number;
  /** mu at 4096 tokens */
  readonly max_shift: number;
}

/** FLUX.1-dev's shift. */
export const FLUX_SHIFT: Shift = { base_shift: 0.5, max_shift: 1.15 };

/** The shift of a picture of `tokens` tokens: linear through 256 and 4096 tokens, also beyond them. */
export function timeShift(tokens: number, { base_shift, max_shift }: Shift = FLUX_SHIFT): number {
  const slope = (max_shift - base_shift) / (4096 - 256);
  return base_shift + slope * (tokens - 256);
}

/**
 * `steps + 1` times from 1 (noise) to 0 (data): `t = 1 - i / steps`, shifted to `e^mu / (e^mu + 1/t - 1)`.
 *
 * @param mu from {@linkcode timeShift}; left out, the times are evenly spaced
 */
export function timeSchedule(steps: number, mu?: number): number[] {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = 1 - i / steps;
    if (mu === undefined || t === 0) return t;
    return Math.exp(mu) / (Math.exp(mu) + (1 / t - 1));
  });
}
