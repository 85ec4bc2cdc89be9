import { loadModel, predictVelocity } from "@fluxsr/core";
import { add, gradients, normalNoise, read, scoped, Tape, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { shiftedVelocities } from "../../packages/core/shifted_velocities.ts";
import { gpu } from "../helpers/gpu.ts";
import { STARTER } from "../helpers/starter.ts";

test("shiftedVelocities() are those of predictVelocity() with 1, and with 4 has no period of a token on what is even", async () => {
  using model = await loadModel(gpu, STARTER);
  const channels = model.config.vae.z_channels;
  using z = normalNoise(gpu, [1, 4, 6, channels], { seed: 1 });
  using once = (await shiftedVelocities(model, [z], { count: 1 }))[0]!;
  using plain = predictVelocity(model, z);
  const [a = new Float32Array(), b] = await read(once, plain);
  expect(a).toEqual(b);

  const side = 12;
  using even = tensor(gpu, new Float32Array(side * side * channels).fill(0.3), [1, side, side, channels]);
  /** Of the middle: how far latents are from their neighbours, to the right and below, on average. */
  const weave = async (count: number) => {
    using v = (await shiftedVelocities(model, [even], { count }))[0]!;
    const [values = new Float32Array()] = await read(v);
    let sum = 0;
    for (let y = 4; y < 8; y++) {
      for (let x = 4; x < 8; x++) {
        for (let c = 0; c < channels; c++) {
          const at = (y * side + x) * channels + c;
          sum += Math.abs(values[at]! - values[at + channels]!) + Math.abs(values[at]! - values[at + side * channels]!);
        }
      }
    }
    return sum;
  };
  expect(await weave(4)).toBeLessThan(0.5 * await weave(1));
});

test("the gradient through one place is that of the mean, on average over the places; the velocities are the same", async () => {
  using model = await loadModel(gpu, STARTER);
  const [height, width, channels] = [6, 8, model.config.vae.z_channels];
  using z = normalNoise(gpu, [1, height, width, channels], { seed: 2 });
  // Nothing of the outermost latents, which are not moved.
  const inside = Float32Array.from({ length: z.size }, (_, i) => {
    const [row, column] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width];
    return row % (height - 1) && column % (width - 1) ? Math.sin(i) : 0;
  });
  using dy = tensor(gpu, inside, z.shape);
  const found = async (through?: number) => {
    using tape = new Tape(gpu);
    tape.watch(z);
    using v = (await shiftedVelocities(model, [z], { count: 4, through }))[0]!;
    const [dz] = gradients(tape, v, { seed: dy, wanted: [z] });
    return { v: (await read(v))[0]!, dz: dz! };
  };
  const whole = await found();
  const places: Awaited<ReturnType<typeof found>>[] = [];
  for (const place of [0, 1, 2, 3]) places.push(await found(place));
  for (const { v } of places) for (const [i, x] of v.entries()) expect(x).toBeCloseTo(whole.v[i]!, 5);
  using sum = scoped(gpu, () => places.map(({ dz }) => dz).reduce((a, b) => add(a, b)));
  const [expected, total, first] = await read(whole.dz, sum, places[0]!.dz);
  for (const [i, x] of expected!.entries()) expect(total![i]! / 4).toBeCloseTo(x, 5);
  expect(first).not.toEqual(total!.map((x) => x / 4));
  for (const { dz } of [whole, ...places]) dz.dispose();
});
