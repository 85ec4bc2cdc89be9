import { join } from "node:path";
import { Autoencoder, loadModule, openAutoencoderFolder } from "@fluxsr/core";
import { gradients, read, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { autoencoderGroup } from "../../../packages/train/autoencoder/autoencoder_group.ts";
import { openAutoencoderStage } from "../../../packages/train/autoencoder/autoencoder_stage.ts";
import { autoencoderConfig } from "../../../packages/train/config/autoencoder_config.ts";
import { parseConfig } from "../../../packages/train/config/parse_config.ts";
import { openPictures } from "../../../packages/train/data/pictures.ts";
import { randomCrops } from "../../../packages/train/data/crops.ts";
import { meanSquaredError } from "../../../packages/train/losses/reconstruction.ts";
import { initialise } from "../../../packages/train/init.ts";
import { plan } from "../../../packages/train/plan.ts";
import { gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { jsonFile, meanLoss, pictureFolder, run, validations } from "../_pretraining.ts";

const ARCHITECTURE = {
  ch: 8,
  ch_mult: [1, 2],
  num_res_blocks: 1,
  z_channels: 4,
  scale_factor: 0.5,
  shift_factor: 0.1,
  norm_num_groups: 4,
};
const pictures = await pictureFolder();
const architecture = jsonFile(ARCHITECTURE);

function configured(keys: Record<string, unknown> = {}) {
  return parseConfig(autoencoderConfig, {
    pictures: [pictures],
    architecture,
    out: temporaryFolder(),
    steps: 25,
    lr: 5e-3,
    crop: 16,
    batch_size: 2,
    log_every: 10,
    ema: 0.9,
    ...keys,
  });
}

const open = openAutoencoderStage;

describe("train autoencoder", () => {
  test("learns to reconstruct, and writes a folder whose latents have mean 0 and deviation 1", async () => {
    const config = configured({ valid: [pictures], validate_count: 1, validate_size: 96, validate_every: 25 });
    const { files } = await run({ open, config });
    expect(files.map((file) => file.slice(config.out.length))).toEqual([
      "/model/vae/diffusion_pytorch_model.safetensors",
      "/model/vae/config.json",
    ]);
    expect(await meanLoss(config.out, "l1", [21, 25])).toBeLessThan(0.75 * await meanLoss(config.out, "l1", [1, 3]));
    const [before, after] = await validations(config.out);
    expect(after?.psnr_y).toBeGreaterThan(before!.psnr_y! + 1);

    using folder = await openAutoencoderFolder(join(config.out, "model"));
    expect(folder.vae.config).toMatchObject({ ch: 8, ch_mult: [1, 2], z_channels: 4, norm_num_groups: 4 });
    expect(folder.vae.source.tensors.get("encoder.conv_in.weight")).toEqual({ dtype: "F16", shape: [8, 3, 3, 3] });
    const autoencoder = new Autoencoder(folder.vae.config);
    await loadModule(gpu, autoencoder, { source: folder.vae.source, precision: "f32" });
    const source = {
      gpu,
      pictures: await openPictures([pictures], { size: 16, notice: () => {} }),
      size: 16,
      seed: config.seed,
      batchSize: 1,
      parts: 1,
    };
    const values: number[] = [];
    for (let draw = 0; draw < 64; draw++) {
      const { x } = await randomCrops(source, [draw]);
      const [z] = autoencoder.encode([x]);
      values.push(...(await read(z!))[0]!);
      x.dispose();
      z!.dispose();
    }
    autoencoder.dispose();
    const mean = values.reduce((sum, z) => sum + z, 0) / values.length;
    const variance = values.reduce((sum, z) => sum + (z - mean) ** 2, 0) / values.length;
    // Weights were rounded to f16.
    expect(Math.abs(mean)).toBeLessThan(2e-3);
    expect(Math.abs(Math.sqrt(variance) - 1)).toBeLessThan(2e-3);
  });

  test("stopped and resumed, and with checkpointing, it ends with the same bits", async () => {
    const keys = { steps: 3, dtype: "f32" };
    const whole = configured(keys);
    const parts = configured({ ...keys, checkpointing: true });
    const [weights] = (await run({ open, config: whole })).files as [string];
    await run({ open, config: parts }, { stopAt: 2 });
    const [resumed] = (await run({ open, config: parts }, { resume: true })).files as [string];
    expect(await Deno.readFile(resumed)).toEqual(await Deno.readFile(weights));
  });

  test("goes on from the autoencoder of a model", async () => {
    const first = configured({ steps: 1, dtype: "f32" });
    await run({ open, config: first });
    using folder = await openAutoencoderFolder(join(first.out, "model"));
    const { path } = folder;
    using stage = await open(gpu, configured({ architecture: undefined, model: path }), { notice: () => {} });
    const [name] = [...stage.weights.keys()].filter((key) => key.endsWith("conv_out.bias")) as [string];
    expect((await read(stage.weights.get(name)!))[0]).toEqual(await folder.vae.source.readF32(name));
  });

  test("is planned without a GPU", async () => {
    const config = configured();
    const { trained, peakBytes, flopsPerStep } = await plan((dry) => open(dry, config, { notice: () => {} }), config);
    const parameters = [
      ...new Autoencoder({ ...ARCHITECTURE, resolution: 256, in_channels: 3, out_ch: 3 }).parameters(),
    ];
    expect(trained).toBe(parameters.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0));
    expect(peakBytes).toBeGreaterThan(4 * 4 * trained);
    expect(flopsPerStep).toBeGreaterThan(0);
  });
});

describe("autoencoderGroup()", () => {
  test("has the terms that are switched on, and a gradient for every weight", async () => {
    const config = { ...ARCHITECTURE, resolution: 256, in_channels: 3, out_ch: 3 };
    const autoencoder = new Autoencoder(config);
    await initialise(gpu, autoencoder, { seed: 1 });
    // Residual branches that end in zero have no gradient yet.
    for (const [i, [, { tensor }]] of [...autoencoder.parameters()].entries()) {
      gpu.write(tensor.buffer, random(tensor.shape, i));
    }
    const { live } = gpu.memory;
    {
      using x = randomTensor([1, 8, 12, 3], 1).tensor;
      using noise = randomTensor([1, 4, 6, 4], 2).tensor;
      const counts = { l1: 1, gradient: 0, lpips: 2, kl: 0.5 };
      expect(autoencoderGroup({ autoencoder, lpips: undefined }, counts).weights).toEqual({ l1: 1, kl: 0.5 });
      const { weights, loss } = autoencoderGroup({ autoencoder, lpips: meanSquaredError }, counts);
      expect(weights).toEqual({ l1: 1, lpips: 2, kl: 0.5 });
      using tape = new Tape(gpu);
      const wanted = [...autoencoder.parameters()].map(([, { tensor }]) => tensor);
      for (const each of wanted) tape.watch(each);
      const terms = await loss({ x, noise, samples: [], [Symbol.dispose]: () => {} });
      expect(Object.keys(terms).sort()).toEqual(["kl", "l1", "lpips"]);
      using seed = tensor(gpu, Float32Array.of(1), [1]);
      const slopes = gradients(tape, Object.values(terms), { seed: [seed, seed, seed], wanted });
      const values = await read(...slopes);
      expect(values.filter((each) => each.every((value) => value === 0)).length).toBe(0);
      for (const each of [...slopes, ...Object.values(terms)]) each.dispose();
    }
    expect(gpu.memory.live).toBe(live);
    autoencoder.dispose();
  });
});

describe("train autoencoder refuses", () => {
  test.each([
    [{ crop: 15 }, "Cannot train on crops: crop must be a multiple of 2, as the network takes them: it is 15"],
    [{ crop: 200 }, /one must have 200 x 200 pixels: none has$/],
    [
      { architecture: jsonFile({ ...ARCHITECTURE, ch: 6 }) },
      /norm_num_groups must be a divisor .* one has 6: it is 4$/,
    ],
    [{ architecture: "missing.json" }, 'Cannot read "missing.json": no such file or folder'],
    [{ architecture: undefined, model: pictures }, /folder must have an autoencoder: it has none$/],
  ])("%j", async (keys, message) => {
    await expect(open(gpu, configured(keys), { notice: () => {} })).rejects.toThrow(message);
  });

  test("a loss without pictures", () => {
    expect(() => configured({ l1: 0, gradient: 0 })).toThrow("l1 must be above 0 where no other error of pictures");
  });
});
