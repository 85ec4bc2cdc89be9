/** How the learning rate goes on after the warm-up: it stays, or falls to 0 along half a cosine. */
export type Schedule = "constant" | "cosine";

/** Options of {@linkcode learningRate}. */
export interface ScheduleOptions {
  /** The rate at the end of the warm-up. */
  readonly lr: number;
  readonly schedule: Schedule;
  /** Steps over which the rate rises in a line; its first step has `lr / warmup`. */
  readonly warmup: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Share of the run's time that is over, if that is limited: the rate is where the further of time and steps is. */
  readonly elapsed?: number;
}

/** The learning rate of step `step`, counted from 0. */
export function learningRate(step: number, { lr, schedule, warmup, steps, elapsed = 0 }: ScheduleOptions): number {
  if (step < warmup) return lr * (step + 1) / warmup;
  if (schedule === "constant") return lr;
  const progress = Math.min(1, Math.max(elapsed, (step - warmup) / Math.max(1, steps - warmup)));
  return lr * (1 + Math.cos(Math.PI * progress)) / 2;
}
