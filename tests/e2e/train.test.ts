import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomOf } from "../../packages/train/random.ts";
import { MILD } from "../helpers/mild.ts";
import { type Ended, run, start } from "./_command.ts";
import { picture } from "./_pictures.ts";
import { tinyModel } from "./_tiny_model.ts";

let folder = "";

const CONFIG = {
  model: "model",
  pairs: "pairs",
  degradation: "mild.json",
  lambda: 0,
  rank: 2,
  lr: 0.01,
  batch_size: 2,
};

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "fluxsr-train-" });
  await tinyModel(join(folder, "model"));
  await Deno.mkdir(join(folder, "photos"));
  for (const [i, size] of [70, 61, 90].entries()) {
    await picture(size, size + 3).png().toFile(join(folder, "photos", `${i}.png`));
  }
  await Deno.writeTextFile(join(folder, "mild.json"), JSON.stringify(MILD));
  await Deno.writeTextFile(join(folder, "ftd.json"), JSON.stringify(CONFIG));
  const pairs = ["--model", "model", "--size", "32", "--steps", "2", "--out", "pairs", "--pairs-per-shard", "4"];
  const made = await train("pairs", "--from-images", "photos", "--count", "9", ...pairs);
  expect(made.stderr.join("\n")).toMatch(/9 of 9 pairs/);
  expect(made.code).toBe(0);
});

afterAll(() => Deno.remove(folder, { recursive: true }));

/** Runs `fluxsr train <args>` in the test folder. */
function train(...args: string[]): Promise<Ended> {
  return run(["train", ...args], { cwd: folder });
}

/** The arguments of a run of `steps` steps into folder `out`. */
function ftd(out: string, steps: number, ...more: string[]): string[] {
  return ["train", "--config", "ftd.json", "--out", out, "--steps", String(steps), ...more];
}

/** Everything that a finished run leaves, but for clocks. */
async function results(out: string): Promise<{ lora: Uint8Array; state: Uint8Array; metrics: unknown[] }> {
  const at = (...path: string[]) => Deno.readFile(join(folder, out, ...path));
  const [last = ""] = (await Array.fromAsync(Deno.readDir(join(folder, out, "checkpoints")), ({ name }) => name))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)));
  const lines = (await Deno.readTextFile(join(folder, out, "metrics.jsonl"))).trim().split("\n");
  const metrics = lines.map((line) => ({ ...JSON.parse(line), time: 0, images_per_s: 0 }));
  return {
    lora: await at("pytorch_lora_weights.safetensors"),
    state: await at("checkpoints", last, "state.safetensors"),
    metrics,
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until the log of a run has been written to `times` more times; one that resumes cuts it first. */
async function grown(out: string, times: number): Promise<void> {
  const size = () => Deno.stat(join(folder, out, "metrics.jsonl")).then((info) => info.size, () => 0);
  for (let before = await size(), count = 0; count < times;) {
    await pause(5);
    const now = await size();
    if (now > before) count++;
    before = now;
  }
}

describe("train ftd", () => {
  test("killed at 20 random moments it ends with the same bits", async () => {
    const options = ["--checkpoint-every", "3", "--log-every", "2"];
    expect(await run(ftd("whole", 120, ...options), { cwd: folder })).toMatchObject({ code: 0 });
    const random = randomOf(Date.now(), "kill");
    for (let kill = 0; kill < 20; kill++) {
      const child = start(ftd("killed", 120, "--resume", ...options), { cwd: folder });
      // Half of them while it starts, half after some steps.
      if (kill % 2 === 0) await pause(random.uniform(0, 300));
      else await grown("killed", 1 + random.integer(6));
      await pause(random.uniform(0, 30));
      child.kill("SIGKILL");
      expect((await child.output()).signal).toBe("SIGKILL");
    }
    expect(await run(ftd("killed", 120, "--resume", ...options), { cwd: folder })).toMatchObject({ code: 0 });
    expect(await results("killed")).toEqual(await results("whole"));
  }, 400_000);

  test("interrupted it finishes the step, saves, and exits with 0", async () => {
    const child = start(ftd("interrupted", 10_000, "--log-every", "1"), { cwd: folder });
    await grown("interrupted", 1);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    const text = new TextDecoder().decode(stderr);
    expect(text).toMatch(/Stopped after step [1-9]\d* of 10000, .*: go on with --resume/);
    expect(code).toBe(0);
    const step = /Stopped after step (\d+)/.exec(text)?.[1];
    const saved = await Array.fromAsync(Deno.readDir(join(folder, "interrupted", "checkpoints")), ({ name }) => name);
    expect(saved).toContain(`step-${step}`);
  }, 60_000);

  test("its LoRA changes what upscale makes", async () => {
    const { code, stdout } = await run(ftd("trained", 5), { cwd: folder });
    expect([code, stdout.trim()]).toEqual([0, join("trained", "pytorch_lora_weights.safetensors")]);
    const upscale = (...more: string[]) =>
      run(["upscale", "photos/0.png", "-s", "1", "--model", "model", ...more], { cwd: folder });
    expect(await upscale("-o", "with.png", "--lora", stdout.trim())).toMatchObject({ code: 0 });
    expect(await upscale("-o", "without.png")).toMatchObject({ code: 0 });
    expect(await Deno.readFile(join(folder, "with.png"))).not.toEqual(await Deno.readFile(join(folder, "without.png")));
  });

  test("its folder is used at the time that it was trained for, its LoRA alone at the model's", async () => {
    expect(await run(ftd("late", 2, "--t-l", "0.4"), { cwd: folder })).toMatchObject({ code: 0 });
    const config = await Deno.readTextFile(join(folder, "late", "training_config.json"));
    expect(JSON.parse(config)).toEqual({ T_L: 0.4, guidance: 1 });
    const upscale = (lora: string, output: string) =>
      run(["upscale", "photos/0.png", "-s", "1", "--model", "model", "--lora", lora, "-o", output], { cwd: folder });
    expect(await upscale("late", "folder.png")).toMatchObject({ code: 0 });
    expect(await upscale("late/pytorch_lora_weights.safetensors", "file.png")).toMatchObject({ code: 0 });
    expect(await Deno.readFile(join(folder, "folder.png"))).not.toEqual(await Deno.readFile(join(folder, "file.png")));
  });

  test("with TV-LPIPS and validation, from a LoRA that is there", async () => {
    await Deno.mkdir(join(folder, "held"));
    await picture(99, 97).png().toFile(join(folder, "held", "a.png"));
    const terms = ["--lambda", "1", "--decode-crop", "16", "--valid", "held", "--validate-size", "96"];
    expect(await run(ftd("first", 1, "--log-every", "1", ...terms), { cwd: folder })).toMatchObject({ code: 0 });
    const lines = (await Deno.readTextFile(join(folder, "first", "metrics.jsonl"))).trim().split("\n");
    const records = lines.map((line) => JSON.parse(line));
    expect(records.find(({ loss }) => loss).loss.tv_lpips).toBeGreaterThan(0);
    for (const { validation } of records.filter(({ validation }) => validation)) {
      expect(validation).toMatchObject({ psnr_y: expect.any(Number), lpips: expect.any(Number) });
    }
    // Steps that are too small to change it leave it as it began.
    const result = (out: string) => Deno.readFile(join(folder, out, "pytorch_lora_weights.safetensors"));
    const init = ["--init-lora", "first/pytorch_lora_weights.safetensors", "--lr", "1e-12"];
    expect(await run(ftd("second", 1, ...init), { cwd: folder })).toMatchObject({ code: 0 });
    expect(await result("second")).toEqual(await result("first"));
  });

  test("the one step as upscale takes it: the mean over token shifts, residual", async () => {
    const terms = ["--ftd", "0", "--adl", "0", "--lr", "1e-12", "--valid", "large", "--validate-size", "96"];
    await Deno.mkdir(join(folder, "large"));
    await picture(96, 96).png().toFile(join(folder, "large", "a.png"));
    const figures = async (out: string, ...more: string[]) => {
      expect(await run(ftd(out, 1, "--log-every", "1", ...terms, ...more), { cwd: folder })).toMatchObject({ code: 0 });
      const lines = (await Deno.readTextFile(join(folder, out, "metrics.jsonl"))).trim().split("\n");
      const records = lines.map((line) => JSON.parse(line));
      return { mse: records.find(({ loss }) => loss).loss.mse, psnr: records.at(-1).validation.psnr_y };
    };
    const plain = await figures("plain"), shifted = await figures("shifted", "--token-shifts", "4");
    expect(shifted.mse).not.toBe(plain.mse);
    expect(shifted.psnr).not.toBe(plain.psnr);
    // What a random autoencoder loses, nearly all, is not lost any more.
    const residual = await figures("residual", "--residual");
    expect(residual.mse).toBeLessThan(plain.mse);
    expect(residual.psnr).toBeGreaterThan(plain.psnr);
  });

  test.each([
    { flags: ["--no-checkpointing"] },
    { flags: ["--checkpointing"] },
    { flags: ["--no-checkpointing", "--token-shifts", "4", "--residual", "--decode-crop", "16"] },
  ])("plans what a step takes to a tenth: $flags", async ({ flags }) => {
    const out = `planned${flags.join("")}`;
    const planned = await run(ftd(out, 2, "--dry-run", ...flags), { cwd: folder });
    expect(planned.stdout).toMatch(/\nwork of a step +\d.* GFLOP/);
    await expect(Deno.stat(join(folder, out))).rejects.toThrow();
    const peak = Number(/peak during a step +([\d.]+) MB/.exec(planned.stdout)?.[1]);
    const { stderr } = await run(ftd(out, 2, ...flags), { cwd: folder });
    const measured = Number(/([\d.]+) MB on the GPU at most/.exec(stderr.join("\n"))?.[1]);
    expect(Math.abs(peak / measured - 1)).toBeLessThan(0.1);
    expect(planned.stdout).toMatch(/\n {2}a card of 24 GB {2}--no-checkpointing {2}.* MB in use; all 2 blocks stay\n$/);
  });

  test("within --max-vram it ends with the bits that it has without, and can go on without", async () => {
    const flags = ["--checkpoint-every", "2", "--log-every", "1"];
    const refused = await run(ftd("within", 2, ...flags, "--max-vram", "1MB"), { cwd: folder });
    expect([refused.code, refused.stderr.length]).toEqual([1, 2]);
    expect(refused.stderr[0]).toMatch(/^Cannot train within 1000000 bytes of GPU memory: with one block at a time/);
    const least = /^Hint: raise --max-vram to (\d+MB) or more/.exec(refused.stderr[1]!)![1]!;

    const { code, stderr } = await run(ftd("within", 2, ...flags, "--max-vram", least), { cwd: folder });
    expect([code, stderr.join("\n")]).toEqual([0, expect.stringMatching(/^Within \d+ MB: .* blocks stay/)]);
    const peak = /([\d.]+) MB on the GPU at most/.exec(stderr.join("\n"))![1];
    expect(Number(peak)).toBeLessThanOrEqual(parseInt(least));
    expect(await run(ftd("within", 4, ...flags, "--resume", "--checkpointing"), { cwd: folder })).toMatchObject({
      code: 0,
    });
    expect(await run(ftd("without", 4, ...flags, "--checkpointing"), { cwd: folder })).toMatchObject({ code: 0 });
    expect(await results("within")).toEqual(await results("without"));
  });
});

describe("train ftd refuses", () => {
  const fails = async (args: readonly string[]) => {
    const { code, stderr } = await run(args, { cwd: folder });
    expect(code).toBe(1);
    return stderr;
  };

  test("a misspelt key, with the nearest", async () => {
    await Deno.writeTextFile(join(folder, "wrong.json"), JSON.stringify({ ...CONFIG, bach_size: 2 }));
    expect(await fails(["train", "--config", "wrong.json", "--out", "no"])).toEqual([
      'Cannot use configuration "wrong.json": keys must be known ones: it has "bach_size"',
      'Hint: did you mean "batch_size"?',
    ]);
  });

  test.each([
    [["--scale", "3"], "Cannot train on crops: the side of pairs must be a multiple of 3, the scale: it is 32"],
    [["--valid", "photos", "--validate-size", "98"], "validate_size must be a multiple of 4, the scale: it is 98"],
    [["--t-l", "1"], "Cannot train with FTD: T_L must be below 1, since Eq. 16 divides by 1 - T_L: it is 1"],
    [
      ["--ftd", "0", "--mse", "0", "--adl", "0"],
      "ftd must be above 0 where all other weights of losses are 0: it is 0",
    ],
  ])("%j, before anything is written", async (flags, message) => {
    const [line] = await fails(ftd("no", 2, ...flags));
    expect(line).toContain(message);
    await expect(Deno.stat(join(folder, "no"))).rejects.toThrow();
  });

  test("pairs of another model", async () => {
    await tinyModel(join(folder, "other"), { seed: 2 });
    const [line] = await fails(ftd("no", 2, "--model", "other"));
    expect(line).toMatch(/^Cannot read pairs "pairs": they must be of the model "other".*: they are of "model"/);
  });

  test("a damaged shard, unless it is to be left out", async () => {
    const shard = join(folder, "pairs", "pairs-00000-00003.safetensors");
    const names = await Array.fromAsync(Deno.readDir(join(folder, "pairs")), ({ name }) => name);
    const path = join(folder, "pairs", names.filter((name) => name.endsWith(".safetensors")).sort()[0] ?? shard);
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.with(bytes.length - 9, bytes.at(-9)! ^ 1));
    const [line] = await fails(ftd("no", 2));
    expect(line).toMatch(/^Cannot read pairs "pairs": shard "pairs-.*" is damaged/);
    const { code, stderr } = await run(ftd("skipped", 2, "--skip-bad"), { cwd: folder });
    expect(code).toBe(0);
    expect(stderr[0]).toMatch(/^Left out 4 pairs, shard "pairs-.*" is damaged/);
    await Deno.writeFile(path, bytes);
  });

  test("a folder that has a run, and one of another configuration", async () => {
    expect(await run(ftd("taken", 2), { cwd: folder })).toMatchObject({ code: 0 });
    expect(await fails(ftd("taken", 4))).toEqual([
      'Cannot train into "taken": the folder must be new: it has a run',
      "Hint: Pass --resume to go on with it, or another --out.",
    ]);
    const [line] = await fails(ftd("taken", 4, "--resume", "--lr", "0.02"));
    expect(line).toMatch(/^Cannot resume: the run must have the configuration of ".*": lr was 0.01, is 0.02$/);
  });

  test("a folder without pictures", async () => {
    await Deno.mkdir(join(folder, "nothing"), { recursive: true });
    const [line] = await fails(["train", "pairs", "--from-images", "nothing", "--out", "no", "--model", "model"]);
    expect(line).toMatch(/^Cannot read "nothing": the folder must hold a picture/);
  });
});
