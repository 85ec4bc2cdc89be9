import { combine, scopedAsync, type Tensor } from "@fluxsr/kernels";

/**
 * Euler integration of the flow along `times`: `x += (t_next - t) v(x, t)`.
 *
 * @param velocity the network's velocity at `x` and time `t`, of x's shape
 * @param options `observe` is called with the state after each step; it is only valid in the call
 */
export async function sample(
  noise: Tensor,
  velocity: (x: Tensor, t: number) => Tensor | Promise<Tensor>,
  { times, observe = () => {} }: { times: readonly number[]; observe?: (step: number, x: Tensor) => void },
): Promise<Tensor> {
  return await scopedAsync(noise.gpu, async () => {
    let x = noise;
    for (let step = 1; step < times.length; step++) {
      const [t = 0, next = 0] = times.slice(step - 1);
      x = await scopedAsync(x.gpu, async () => combine(x, await velocity(x, t), { beta: next - t }));
      observe(step, x);
    }
    return x;
  });
}
