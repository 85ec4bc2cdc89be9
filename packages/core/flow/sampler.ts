import { combine, scopedAsync, type Tensor } from "@fluxsr/kernels";

/** The velocity of the flow at `x` and time `t`, of x's shape. */
export type VelocityField = (x: Tensor, t: number) => Tensor | Promise<Tensor>;

/** Options of {@linkcode integrate}. */
export interface IntegrateOptions {
  /** From the first to the last, in either direction. */
  readonly times: readonly number[];
  /** Is called with the state after each step, the first is 1; it is only valid in the call. */
  readonly observe?: (step: number, x: Tensor) => void;
}

/** Leads `start` along `times`: `step` makes the state at time `next` of `x`, that at time `t`. */
export async function integrate(
  start: Tensor,
  step: (x: Tensor, t: number, next: number) => Promise<Tensor>,
  { times, observe = () => {} }: IntegrateOptions,
): Promise<Tensor> {
  return await scopedAsync(start.gpu, async () => {
    let x = start;
    for (let i = 1; i < times.length; i++) {
      const [t = 0, next = 0] = times.slice(i - 1);
      const before = x;
      x = await scopedAsync(x.gpu, () => step(before, t, next));
      if (before !== start) before.dispose();
      observe(i, x);
    }
    return x;
  });
}

/** Euler integration of the flow along `times`: `x += (t_next - t) v(x, t)`. */
export async function sample(noise: Tensor, velocity: VelocityField, options: IntegrateOptions): Promise<Tensor> {
  return await integrate(
    noise,
    async (x, t, next) => combine(x, await velocity(x, t), { beta: next - t }),
    options,
  );
}
