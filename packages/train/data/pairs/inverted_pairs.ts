import { makeRoom, type Rgb8 } from "@fluxsr/core";
import { concat, read, scopedAsync } from "@fluxsr/kernels";
import { toTensor } from "../pixels.ts";
import { inGroups } from "./groups.ts";
import { heun } from "./heun.ts";
import type { PairMaker } from "./pair.ts";
import { parts } from "./teacher_pairs.ts";
import { checked, type Teacher } from "./teacher.ts";

/**
 * Pairs from pictures: the latent of a picture, and the noise that the teacher's flow leads back to from it. For
 * teachers whose own pictures are too poor to learn from.
 *
 * @param crop picture number i, of the teacher's size
 */
export function invertedPairs(teacher: Teacher, crop: (i: number) => Promise<Rgb8>): PairMaker {
  const { model: { gpu, autoencoder }, times, prompts } = teacher;
  return inGroups(teacher.grouping, async (groups, signal) => {
    const numbers = groups.flat();
    const pictures = await Promise.all(groups.map((group) => Promise.all(group.map(crop))));
    return await scopedAsync(gpu, async () => {
      const velocity = await teacher.velocity(groups, signal);
      const encoded = pictures.map((group) => {
        using x = toTensor(gpu, group as [Rgb8, ...Rgb8[]]);
        return autoencoder.encode([x])[0]!;
      });
      const data = concat(encoded, 0);
      await makeRoom(gpu);
      const noise = await heun(data, velocity, { times: times.toReversed() });
      const values = await read(noise, data, await heun(noise, velocity, { times }));
      const [eps, z_0, back] = values.map((each) => parts(each, numbers.length));
      return numbers.map((i, k) => {
        const round_trip = relativeError(back![k]!, z_0![k]!);
        const x_0 = pictures.flat()[k]!.rgb;
        return checked({ eps: eps![k]!, z_0: z_0![k]!, x_0, prompt: prompts.of(i), round_trip }, i);
      });
    });
  });
}

/** `|actual - expected| / |expected|` in the Euclidean norm. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const squares = (value: (i: number) => number) => expected.reduce((sum, _, i) => sum + value(i) ** 2, 0);
  return Math.sqrt(squares((i) => actual[i]! - expected[i]!) / squares((i) => expected[i]!));
}
