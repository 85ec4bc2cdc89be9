import { makeRoom, sample } from "@fluxsr/core";
import { concat, normalNoise, read, scopedAsync, split } from "@fluxsr/kernels";
import { randomOf } from "../../random.ts";
import { toPictures } from "../pixels.ts";
import { inGroups } from "./groups.ts";
import type { PairMaker } from "./pair.ts";
import { checked, type Teacher } from "./teacher.ts";

/** Pairs as the paper makes them: noise, and the picture that the teacher's sampler makes of it in many Euler steps. */
export function teacherPairs(teacher: Teacher): PairMaker {
  const { model: { gpu, autoencoder }, times, latent, prompts, options: { seed } } = teacher;
  const noiseOf = (i: number) => normalNoise(gpu, [1, ...latent], { seed: randomOf(seed, "eps", i).seed() });
  return inGroups(teacher.grouping, (groups, signal) =>
    scopedAsync(gpu, async () => {
      const numbers = groups.flat();
      const noise = concat(numbers.map(noiseOf), 0);
      const data = await sample(noise, await teacher.velocity(groups, signal), { times });
      await makeRoom(gpu);
      const pictures: Uint8Array[] = [];
      for (const latents of split(data, 0, groups.map(({ length }) => length))) {
        using decoded = autoencoder.decode([latents])[0]!;
        pictures.push(...(await toPictures(decoded)).map(({ rgb }) => rgb));
      }
      const [eps, z_0] = (await read(noise, data)).map((each) => parts(each, numbers.length));
      return numbers.map((i, k) =>
        checked({ eps: eps![k]!, z_0: z_0![k]!, x_0: pictures[k]!, prompt: prompts.of(i) }, i)
      );
    }));
}

/** `values` in `count` equal parts. */
export function parts(values: Float32Array<ArrayBuffer>, count: number): Float32Array<ArrayBuffer>[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, k) => values.slice(k * length, (k + 1) * length));
}
