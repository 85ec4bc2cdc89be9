import { planUpscale } from "@fluxsr/core";
import { Command } from "commander";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { examineModel, inWords } from "../../packages/cli/_examine_model.ts";
import { planText } from "../../packages/cli/_plan_table.ts";
import { planCards } from "../../packages/cli/_plans.ts";
import { runPlan } from "../../packages/cli/_run_plan.ts";
import { registerDoctor } from "../../packages/cli/doctor.ts";
import { runProgram } from "../../packages/cli/program.ts";
import { BUNDLED_MODEL } from "../../packages/core/model.ts";
import { openGpu } from "../../packages/kernels/gpu/open.ts";
import { gpu } from "../helpers/gpu.ts";
import { withTextEncoders } from "../core/text/_golden.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "../core/model_folder/_model.ts";
import { fakeDeps, fakeHost, fakePlan, folderWith, removeFolders } from "./_fakes.ts";

afterEach(removeFolders);

const REQUEST = { model: "m", scale: 4, strength: 1, colorFix: "wavelet", precision: "auto" } as const;
const plan = (...[, options]: Parameters<typeof planUpscale>) => Promise.resolve().then(() => fakePlan(options));

describe("planText()", () => {
  test("is a table of memory, and what fits on which card", async () => {
    const options = { model: "m", scale: 4 };
    const cards = await planCards(gpu, { options, plan, whole: fakePlan(options) });
    const size = { width: 1024, height: 768 };
    expect(planText(fakePlan({ ...options, sizes: [size], budget: 7e9 }), cards)).toBe(`\
Model    fake: transformer 5.00 G parameters, autoencoder 84.00 M
Picture  1024 x 768, in 12 tiles of 512 x 512 of the result
Work     80.0 TFLOP

GPU memory
  transformer           4 GB  folded; 4 of 10 blocks stay, 6 GB are loaded for each pass
  autoencoder         335 MB
  text                 20 KB
  + to encode         1.5 GB
  + to decode         2.5 GB
  in use at most     6.83 GB
  reserved at most      7 GB  with what is kept for reuse

What fits, for a picture that fills a tile, as large as possible
  a card of 8 GB   --max-vram 7.2GB   tiles of 512; 4 of 10 blocks stay, 6 GB are loaded for each pass
  a card of 12 GB  --max-vram 10.8GB  tiles of 512; 7 of 10 blocks stay, 3 GB are loaded for each pass
  a card of 16 GB  --max-vram 14.4GB  tiles of 512; all 10 blocks stay
`);
  });

  test("says where tiles are smaller than asked for", () => {
    const options = { model: "m", scale: 4, tile: 256 };
    expect(planText(fakePlan({ ...options, budget: 2.5e9 }))).toContain(
      "\nTiles    of 128 pixels instead of 256, which have no room\n",
    );
    expect(planText(fakePlan({ ...options, budget: 4e9 }))).not.toContain("Tiles");
  });

  test("says which cards nothing fits on", async () => {
    const none = await planCards(gpu, {
      options: { model: "m", scale: 4 },
      plan: (_, { budget = 0, ...options }) => plan(_, { ...options, budget: budget - 6e9 }),
      whole: fakePlan({ model: "m", scale: 4 }),
    });
    expect(none.map(({ plan }) => plan?.blocks.resident)).toEqual([undefined, 1, 5, 10]);
    expect(planText(fakePlan({ model: "m", scale: 4 }), none)).toContain(
      "a card of 8 GB   --max-vram 7.2GB   nothing\n",
    );
  });
});

describe("upscale --dry-run", () => {
  test("plans for the largest picture, writes nothing, and ends with 1 if another is none", async () => {
    const photo = join(import.meta.dirname!, "../../examples/flower.jpg");
    const host = fakeHost();
    const deps = fakeDeps(host);
    expect(await runPlan({ ...REQUEST, inputs: [photo, "missing.png"], maxVram: 7e9 }, deps)).toBe(1);
    expect(host.stderr).toContain('Cannot read "missing.png"');
    expect(host.stdout).toContain("in 12 tiles");
    expect(deps.calls.planned[0]).toMatchObject({ model: "m", budget: 7e9, sizes: [{ width: 4, height: 3 }] });
    expect(deps.calls).toMatchObject({ loaded: [], upscaled: [], opened: 1, destroyed: 1 });
  });

  test("prints JSON, and ends with 1 if there is no picture, 2 if nothing was found", async () => {
    const photo = join(import.meta.dirname!, "../../examples/flower.jpg");
    const host = fakeHost();
    expect(await runPlan({ ...REQUEST, inputs: [photo], json: true }, fakeDeps(host))).toBe(0);
    expect(JSON.parse(host.stdout)).toMatchObject({ plan: { tiles: 12 }, cards: [{ bytes: 8e9 }, {}, {}] });
    const folder = folderWith({ "a.png": "bad" });
    expect(await runPlan({ ...REQUEST, inputs: [join(folder, "a.png")] }, fakeDeps(fakeHost()))).toBe(1);
    expect(await runPlan({ ...REQUEST, inputs: [join(folder, "*.jpg")] }, fakeDeps(fakeHost()))).toBe(2);
  });
});

describe("doctor --model", () => {
  const doctor = async (...args: string[]) => {
    const host = fakeHost(), program = new Command().exitOverride();
    registerDoctor(program, { host });
    await runProgram(["doctor", ...args], { host, program });
    return host;
  };

  test("plans for a model without loading it, and reads all of it", async () => {
    const host = fakeHost();
    const found = await examineModel({ model: BUNDLED_MODEL, verify: true }, { host, openGpu });
    expect(found.plan?.peakBytes).toBeGreaterThan(2 ** 20);
    expect(found.cards).toHaveLength(1);
    const { bytes, tensors, hostBytes } = found.verified!;
    expect([bytes > 1e6, tensors > 100, hostBytes > 1e7]).toEqual([true, true, true]);
    expect(inWords(found)).toMatch(/GPU memory\n[^]*\nAll \d+ tensors are whole and finite: .* MB read in .* s, /);
    expect(inWords(found)).toMatch(/\nThe download's SHA-256 is known of 0 of 2 files\n$/);
    const verified = { ...found.verified!, checksums: 2 };
    expect(inWords({ ...found, verified })).toMatch(/is known of 2 of 2 files: they have it\n$/);
    expect(inWords({})).toBe("");
    expect(found.texts).toBeUndefined();
  });

  test("plans for the text encoders too, where the model has some", async () => {
    const model = withTextEncoders(modelFolder(DIFFUSERS_LAYOUT));
    const found = await examineModel({ model }, { host: fakeHost(), openGpu });
    expect(found.texts?.t5.blocks).toEqual({ all: 2, resident: 2, streamedBytes: 0 });
    expect(inWords(found)).toMatch(
      /What fits[^]*\nGPU memory of the text encoders\n +T5 +.* [KM]B +all 2 blocks stay\n/,
    );
  });

  test("wants a model to verify", async () => {
    const host = await doctor("--verify");
    expect([host.code, host.stdout]).toEqual([2, ""]);
    expect(host.stderr).toContain("Cannot use --verify: there must be a model: give --model");
  });

  test("tells of the machine even if the model cannot be used", async () => {
    const host = await doctor("--json", "--model", folderWith({}));
    expect([host.code, JSON.parse(host.stdout)]).toEqual([1, expect.objectContaining({ ok: true })]);
    expect(host.stderr).toContain("Cannot open model");
  });
});
