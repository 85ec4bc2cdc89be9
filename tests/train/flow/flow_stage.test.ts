import { join } from "node:path";
import { Autoencoder, autoencoderJson, loadModel, moduleTensors, writeNetwork, writeSafetensors } from "@fluxsr/core";
import { read } from "@fluxsr/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { flowConfig } from "../../../packages/train/config/flow_config.ts";
import { parseConfig } from "../../../packages/train/config/parse_config.ts";
import { randomTime } from "../../../packages/train/flow/flow_data.ts";
import { openFlowStage } from "../../../packages/train/flow/flow_stage.ts";
import { initialise } from "../../../packages/train/init.ts";
import { plan } from "../../../packages/train/plan.ts";
import { randomOf } from "../../../packages/train/random.ts";
import { gpu, random } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { jsonFile, pictureFolder, run, validations } from "../_pretraining.ts";

const AUTOENCODER = {
  resolution: 256,
  in_channels: 3,
  ch: 8,
  out_ch: 3,
  ch_mult: [1, 2],
  num_res_blocks: 1,
  z_channels: 4,
  scale_factor: 4,
  shift_factor: 0,
  norm_num_groups: 4,
};
const TRANSFORMER = {
  in_channels: 16,
  vec_in_dim: 6,
  context_in_dim: 5,
  hidden_size: 24,
  mlp_ratio: 2,
  num_heads: 2,
  depth: 1,
  depth_single_blocks: 1,
  axes_dim: [4, 4, 4],
  guidance_embed: true,
};
const pictures = await pictureFolder();
const architecture = jsonFile(TRANSFORMER);
/** A model folder without a transformer, as `train autoencoder` leaves it, with a text and settings. */
const model = temporaryFolder();

beforeAll(async () => {
  const autoencoder = new Autoencoder(AUTOENCODER);
  await initialise(gpu, autoencoder, { seed: 5 });
  const tensors = await moduleTensors(autoencoder, { dtype: "F32" });
  await writeNetwork(join(model, "vae"), { config: autoencoderJson(AUTOENCODER), tensors });
  autoencoder.dispose();
  const text = (shape: number[]) => ({ dtype: "F32", shape, bytes: new Uint8Array(random(shape).buffer) }) as const;
  await writeSafetensors(join(model, "text.safetensors"), [["txt", text([3, 5])], ["y", text([6])]]);
  const settings = { T_L: 0.4, scale: 2, guidance: 3, conditioning: "text.safetensors", license: "CC0-1.0" };
  await Deno.writeTextFile(join(model, "fluxsr.json"), JSON.stringify(settings));
});

function configured(keys: Record<string, unknown> = {}) {
  return parseConfig(flowConfig, {
    pictures: [pictures],
    model,
    architecture,
    out: temporaryFolder(),
    steps: 30,
    lr: 1e-2,
    crop: 16,
    batch_size: 2,
    log_every: 15,
    ema: 0.9,
    ...keys,
  });
}

const open = openFlowStage;

describe("train flow", () => {
  test("learns a flow, and writes a model folder that loads", async () => {
    const config = configured({ valid: [pictures], validate_count: 1, validate_size: 96, validate_every: 30 });
    const { files } = await run({ open, config });
    expect(files.map((file) => file.slice(`${config.out}/model/`.length))).toEqual([
      "transformer/diffusion_pytorch_model.safetensors",
      "transformer/config.json",
      "vae/diffusion_pytorch_model.safetensors",
      "vae/config.json",
      "conditioning.safetensors",
      "fluxsr.json",
    ]);
    const [before, after] = await validations(config.out);
    expect(after?.flow).toBeLessThan(0.9 * before!.flow!);

    using loaded = await loadModel(gpu, join(config.out, "model"));
    expect(loaded.settings).toMatchObject({ T_L: 0.4, scale: 2, guidance: 3, license: "CC0-1.0" });
    expect(loaded.config.vae).toEqual(AUTOENCODER);
    expect(loaded.config.transformer).toMatchObject(TRANSFORMER);
    expect((await read(loaded.conditioning.txt))[0]).toEqual(random([3, 5]));
    const vae = (folder: string) => Deno.readFile(join(folder, "vae", "diffusion_pytorch_model.safetensors"));
    expect(await vae(join(config.out, "model"))).toEqual(await vae(model));
  });

  test("stopped and resumed, it ends with the same bits; a finished model is trained further", async () => {
    const whole = configured({ steps: 3, dtype: "f32" });
    const parts = configured({ steps: 3, dtype: "f32" });
    const [weights] = (await run({ open, config: whole })).files as [string];
    await run({ open, config: parts }, { stopAt: 2 });
    const [resumed] = (await run({ open, config: parts }, { resume: true })).files as [string];
    expect(await Deno.readFile(resumed)).toEqual(await Deno.readFile(weights));

    const further = configured({ model: join(whole.out, "model"), architecture: undefined });
    using stage = await open(gpu, further, { notice: () => {} });
    using batch = await stage.batch({ step: 0, part: 0 });
    const { flow } = await stage.groups[0]!.loss(batch);
    expect((await read(flow!))[0]?.[0]).toBeGreaterThan(0);
    flow!.dispose();
  });

  test("is planned without a GPU", async () => {
    const config = configured();
    const { trained, peakBytes, flopsPerStep } = await plan((dry) => open(dry, config, { notice: () => {} }), config);
    expect(peakBytes).toBeGreaterThan(5 * 4 * trained);
    expect(flopsPerStep).toBeGreaterThan(0);
  });

  test.each([
    [{ crop: 18 }, "Cannot train on crops: crop must be a multiple of 4, as the network takes them: it is 18"],
    [{ architecture: jsonFile({ ...TRANSFORMER, in_channels: 64 }) }, /4 times the autoencoder's z_channels \(16\)/],
    [{ architecture: jsonFile({ ...TRANSFORMER, vec_in_dim: 7 }) }, 'Cannot load "y": file has [6], model needs [7]'],
    [{ architecture: undefined }, /folder must have a transformer: it has none$/],
  ])("refuses %j", async (keys, message) => {
    await expect(open(gpu, configured(keys), { notice: () => {} })).rejects.toThrow(message);
  });
});

describe("randomTime()", () => {
  const times = (density: Parameters<typeof randomTime>[1]) => {
    const random = randomOf(1, "time");
    return Array.from({ length: 4000 }, () => randomTime(random, density));
  };

  test("is uniform in [0, 1)", () => {
    const uniform = times({ t_density: "uniform", t_mean: 5, t_std: 1 });
    for (const share of [0.1, 0.5, 0.9]) {
      expect(uniform.filter((t) => t < share).length / uniform.length).toBeCloseTo(share, 1);
    }
  });

  test("is logit-normal", () => {
    const logits = times({ t_density: "logit_normal", t_mean: 1, t_std: 0.5 }).map((t) => Math.log(t / (1 - t)));
    const mean = logits.reduce((sum, x) => sum + x, 0) / logits.length;
    const variance = logits.reduce((sum, x) => sum + (x - mean) ** 2, 0) / logits.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 1);
  });
});
