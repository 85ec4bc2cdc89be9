import {
  fromF32,
  InputError,
  loadModel,
  openWeights,
  predictVelocity,
  timeSchedule,
  timeShift,
  writeSafetensors,
} from "@fluxsr/core";
import { combine, read, scoped, tensor } from "@fluxsr/kernels";
import { afterAll, describe, expect, test } from "vitest";
import { heun } from "../../../../packages/train/data/pairs/heun.ts";
import { invertedPairs } from "../../../../packages/train/data/pairs/inverted_pairs.ts";
import { Teacher, type TeacherOptions } from "../../../../packages/train/data/pairs/teacher.ts";
import { teacherPairs } from "../../../../packages/train/data/pairs/teacher_pairs.ts";
import { toPicture, toTensor } from "../../../../packages/train/data/pixels.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "../../../core/model_folder/_model.ts";
import { gpu, random, scaledError } from "../../../helpers/gpu.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const OPTIONS: TeacherOptions = { size: 32, steps: 2, guidance: 3.5, schedule: "flux", seed: 1 };
const model = await loadModel(gpu, modelFolder(DIFFUSERS_LAYOUT), { lora: false });
afterAll(() => model.dispose());
const { context_in_dim, vec_in_dim } = model.config.transformer;

/** A file of two prompts of three tokens. */
async function promptFile(
  { txt = [2, 3, context_in_dim], y = [2, vec_in_dim], fill = (data: Float32Array) => data } = {},
): Promise<string> {
  const path = `${temporaryFolder()}/prompts.safetensors`;
  const f32 = (shape: number[], seed: number) => ({
    dtype: "F32" as const,
    shape,
    bytes: new Uint8Array(fill(random(shape, seed)).buffer as ArrayBuffer),
  });
  await writeSafetensors(path, [["txt", f32(txt, 1)], ["y", f32(y, 2)]]);
  return path;
}

describe("teacherPairs()", () => {
  test("a pair is noise and what Euler's steps make of it", async () => {
    const teacher = await Teacher.of(model, OPTIONS);
    const { eps, z_0, x_0, prompt } = await teacherPairs(teacher).make(5);
    expect([eps.length, z_0.length, x_0.length, prompt]).toEqual([256, 256, 32 * 32 * 3, 0]);
    expect(eps.reduce((sum, value) => sum + value * value, 0) / 256).toBeCloseTo(1, 0);

    let z = tensor(gpu, eps, [1, 4, 4, 16]);
    const [first = 1, second = 0] = timeSchedule(2, timeShift(4));
    for (const [t, next] of [[first, second], [second, 0]] as const) {
      z = scoped(
        gpu,
        () => combine(z, predictVelocity(model, z, { timesteps: [t], guidance: 3.5 }), { beta: next - t }),
      );
    }
    const [expected = []] = await read(z);
    expect(scaledError(z_0, expected)).toBe(0);
    const [decoded] = model.autoencoder.decode([tensor(gpu, z_0, [1, 4, 4, 16])]);
    expect(x_0).toEqual((await toPicture(decoded!)).rgb);
  });

  test("pairs made together are those made one by one, whichever is asked for first", async () => {
    const prompts = await promptFile();
    const single = teacherPairs(await Teacher.of(model, { ...OPTIONS, prompts }));
    const together = teacherPairs(await Teacher.of(model, { ...OPTIONS, prompts, batch_size: 3 }));
    for (const i of [4, 3, 0, 5]) {
      const [one, other] = [await single.make(i), await together.make(i)];
      expect(scaledError(other.z_0, one.z_0)).toBeLessThan(1e-5);
      expect([other.eps, other.prompt]).toEqual([one.eps, one.prompt]);
      other.x_0.forEach((value, k) => expect(Math.abs(value - one.x_0[k]!)).toBeLessThanOrEqual(1));
    }
  });

  test.each([5, 2, 0])(
    "groups made side by side, %i of 5 blocks on the GPU, are each as if alone",
    async (residentBlocks) => {
      const options = { ...OPTIONS, prompts: await promptFile(), batch_size: 2 };
      const alone = teacherPairs(await Teacher.of(model, options));
      using streamed = await loadModel(gpu, model.path, { lora: false, residentBlocks });
      const together = teacherPairs(await Teacher.of(streamed, { ...options, together: 3, count: 5 }));
      for (const i of [1, 0, 2, 3, 4, 5]) expect(await together.make(i)).toEqual(await alone.make(i));
      const { planned: { resident, streamedBytes }, loadedBytes } = streamed.blocks;
      expect([resident, loadedBytes]).toEqual([residentBlocks, OPTIONS.steps * streamedBytes]);
    },
  );

  test("depends on its number, the seed and the settings alone", async () => {
    const pairs = teacherPairs(await Teacher.of(model, OPTIONS));
    const [second, first, again] = [await pairs.make(1), await pairs.make(0), await pairs.make(1)];
    expect(again).toEqual(second);
    expect(first.eps).not.toEqual(second.eps);
    const seeded = await teacherPairs(await Teacher.of(model, { ...OPTIONS, seed: 2 })).make(1);
    expect(seeded.eps).not.toEqual(second.eps);
    const guided = await teacherPairs(await Teacher.of(model, { ...OPTIONS, guidance: 1 })).make(1);
    expect(guided.eps).toEqual(second.eps);
    expect(guided.z_0).not.toEqual(second.z_0);
  });

  test("takes prompts in turn", async () => {
    const teacher = await Teacher.of(model, { ...OPTIONS, prompts: await promptFile() });
    const pairs = teacherPairs(teacher);
    const made = [await pairs.make(0), await pairs.make(1), await pairs.make(2)];
    expect(made.map(({ prompt }) => prompt)).toEqual([0, 1, 0]);
    const { prompts } = teacher.settings({ source: "teacher", solver: "euler", pairs_per_shard: 64 });
    expect(prompts.count).toBe(2);
    const velocities = await Promise.all([0, 1, 2].map(async (i) => {
      const z = tensor(gpu, made[0]!.eps, [1, 4, 4, 16]);
      return await (await teacher.velocity([[i]]))(z, 0.5);
    }));
    const [a, b, c] = await read(...velocities);
    expect(c).toEqual(a);
    expect(b).not.toEqual(a);
  });
});

test("invertedPairs() leads from a picture to its noise, and tells how far from it the way back ends", async () => {
  const rgb = Uint8Array.from(random([32, 32, 3], 7), (value) => 128 + 100 * value);
  const crop = (i: number) => Promise.resolve({ width: 32, height: 32, rgb: rgb.map((value) => value + i) });
  const teacher = await Teacher.of(model, OPTIONS);
  const { eps, z_0, x_0, round_trip, prompt } = await invertedPairs(teacher, crop).make(3);
  expect([x_0, prompt]).toEqual([(await crop(3)).rgb, 0]);

  const velocity = await teacher.velocity([[3]]);
  const latent = (data: Float32Array<ArrayBuffer>) => tensor(gpu, data, [1, 4, 4, 16]);
  const [encoded] = model.autoencoder.encode([toTensor(gpu, await crop(3))]);
  const [z = [], noise = [], back = []] = await read(
    encoded!,
    await heun(latent(z_0), velocity, { times: teacher.times.toReversed() }),
    await heun(latent(eps), velocity, { times: teacher.times }),
  );
  expect([scaledError(z_0, z), scaledError(eps, noise)]).toEqual([0, 0]);
  const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
  expect(round_trip).toBeCloseTo(norm(z_0.map((value, i) => value - back[i]!)) / norm(z_0), 5);
});

describe("Teacher.of() refuses", () => {
  const refused = async (options: Partial<TeacherOptions>) => {
    const error = await Teacher.of(model, { ...OPTIONS, ...options }).then(() => undefined, (error) => error);
    expect(error).toBeInstanceOf(InputError);
    return error.message;
  };

  test("a size off the grid", async () => {
    expect(await refused({ size: 40 })).toBe("Cannot make pairs: size must be a multiple of 16: it is 40");
  });

  test.each([
    [{ txt: [2, 3, context_in_dim + 1] }, `txt must be [P, T, ${context_in_dim}]: it is [2, 3, 49]`],
    [{ txt: [2, 0, context_in_dim] }, `txt must be [P, T, ${context_in_dim}]: it is [2, 0, 48]`],
    [{ y: [3, vec_in_dim] }, `y must be [2, ${vec_in_dim}]: it is [3, 32]`],
    [{ y: [vec_in_dim] }, `y must be [2, ${vec_in_dim}]: it is [32]`],
    [{ fill: (data: Float32Array) => data.fill(NaN) }, "txt must be finite: it has NaN or infinity"],
  ])("prompts that do not fit: %j", async (file, state) => {
    const prompts = await promptFile(file);
    expect(await refused({ prompts })).toBe(`Cannot use prompts "${prompts}": ${state}`);
  });

  test("a file without prompts", async () => {
    expect(await refused({ prompts: `${temporaryFolder()}/none.safetensors` })).toContain("no such file");
  });
});

test("prompts may be bf16, and are told from others by their values", async () => {
  const path = await promptFile();
  const stored = await Teacher.of(model, { ...OPTIONS, prompts: path });
  expect((await Teacher.of(model, { ...OPTIONS, prompts: await promptFile() })).prompts.sha256).toBe(
    stored.prompts.sha256,
  );
  const short = `${temporaryFolder()}/prompts.safetensors`;
  using source = await openWeights(path);
  const tensors = await Promise.all(["txt", "y"].map(async (name) => {
    const { shape } = source.tensors.get(name)!;
    return [name, { dtype: "BF16" as const, shape, bytes: fromF32(await source.readF32(name), "BF16") }] as const;
  }));
  await writeSafetensors(short, tensors);
  const { prompts } = await Teacher.of(model, { ...OPTIONS, prompts: short });
  expect(prompts.sha256).not.toBe(stored.prompts.sha256);
  const [second, exact] = await Promise.all([prompts, stored.prompts].map((each) => each.conditioning(gpu, [1, 0])));
  const [txt, y, exactTxt, exactY] = await read(second!.txt, second!.y, exact!.txt, exact!.y);
  const inOrder = await source.readF32("y");
  expect(exactY).toEqual(Float32Array.of(...inOrder.slice(vec_in_dim), ...inOrder.slice(0, vec_in_dim)));
  expect([second!.txt.shape, second!.y.shape]).toEqual([[2, 3, context_in_dim], [2, vec_in_dim]]);
  expect(scaledError(txt!, exactTxt!)).toBeLessThan(2 ** -8);
  expect(scaledError(y!, exactY!)).toBeLessThan(2 ** -8);
});

test("a single prompt may leave its number out", async () => {
  const single = await promptFile({ txt: [3, context_in_dim], y: [vec_in_dim] });
  expect((await Teacher.of(model, { ...OPTIONS, prompts: single })).prompts.count).toBe(1);
});
