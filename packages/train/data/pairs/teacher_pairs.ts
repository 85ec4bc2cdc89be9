import { sample } from "@fluxsr/core";
import { concat, normalNoise, read, scopedAsync } from "@fluxsr/kernels";
import { randomOf } from "../../random.ts";
import { toPictures } from "../pixels.ts";
import { inGroups } from "./groups.ts";
import type { PairMaker } from "./pair.ts";
import { checked, type Teacher } from "./teacher.ts";

/** Pairs as the paper makes them: noise, and the picture that the teacher's sampler makes of it in many Euler steps. */
export function teacherPairs(teacher: Teacher): PairMaker {
  const { model: { gpu, autoencoder }, times, latent, prompts, options: { seed } } = teacher;
  const noiseOf = (i: number) => normalNoise(gpu, [1, ...latent], { seed: randomOf(seed, "eps", i).seed() });
  return inGroups(teacher.groupSize, (numbers) =>
    scopedAsync(gpu, async () => {
      const noise = concat(numbers.map(noiseOf), 0);
      const data = await sample(noise, await teacher.velocity(numbers), { times });
      const [decoded] = autoencoder.decode([data]);
      const pictures = await toPictures(decoded!);
      const [eps, z_0] = (await read(noise, data)).map((each) => parts(each, numbers.length));
      return numbers.map((i, k) =>
        checked({ eps: eps![k]!, z_0: z_0![k]!, x_0: pictures[k]!.rgb, prompt: prompts.of(i) }, i)
      );
    }));
}

/** `values` in `count` equal parts. */
export function parts(values: Float32Array<ArrayBuffer>, count: number): Float32Array<ArrayBuffer>[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, k) => values.slice(k * length, (k + 1) * length));
}
