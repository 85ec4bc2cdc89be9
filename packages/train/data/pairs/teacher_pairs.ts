import { sample } from "@fluxsr/core";
import { normalNoise, read, scopedAsync } from "@fluxsr/kernels";
import { randomOf } from "../../random.ts";
import { toPicture } from "../pixels.ts";
import type { PairMaker } from "./pair.ts";
import { checked, type Teacher } from "./teacher.ts";

/** Pairs as the paper makes them: noise, and the picture that the teacher's sampler makes of it in many Euler steps. */
export function teacherPairs(teacher: Teacher): PairMaker {
  const { model: { gpu, autoencoder }, times, latent, prompts, options: { seed } } = teacher;
  const make = (i: number) =>
    scopedAsync(gpu, async () => {
      const noise = normalNoise(gpu, [1, ...latent], { seed: randomOf(seed, "eps", i).seed() });
      const data = sample(noise, await teacher.velocity([i]), { times });
      const [decoded] = autoencoder.decode([data]);
      const { rgb: x_0 } = await toPicture(decoded!);
      const [eps, z_0] = await read(noise, data);
      return checked({ eps: eps!, z_0: z_0!, x_0, prompt: prompts.of(i) }, i);
    });
  return { make };
}
