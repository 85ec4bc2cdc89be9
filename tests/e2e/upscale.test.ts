import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, run, start } from "./_command.ts";
import { bomb, picture } from "./_pictures.ts";
import { STARTER } from "../helpers/starter.ts";

let folder = "";

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "fluxsr-test-" });
  await picture(40, 30).png().toFile(join(folder, "photo.png"));
});

afterAll(() => Deno.remove(folder, { recursive: true }));

/** Runs `fluxsr upscale <args>` in the test folder. */
function upscale(...args: string[]): Promise<Ended> {
  return run(["upscale", ...args], { cwd: folder });
}

async function exists(name: string): Promise<boolean> {
  return await Deno.stat(join(folder, name)).then(() => true, () => false);
}

async function temporaryFiles(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter((name) => /\.tmp-|\.fluxsr-/.test(name));
}

describe("upscale", () => {
  test("makes a picture four times as large, close to the input", async () => {
    const { code, stdout, stderr } = await upscale("photo.png");
    expect(stderr).toEqual([expect.stringMatching(/^photo\.png -> photo_x4\.png \(160 x 120, 1 tile, .* s\)$/)]);
    expect(code).toBe(0);
    expect(stdout).toBe("");
    const result = sharp(join(folder, "photo_x4.png"));
    expect(await result.metadata()).toMatchObject({ width: 160, height: 120, format: "png", channels: 3 });
    // Shrunk again it is the input, but for fine detail: plain grey would be off by 60.
    const small = await result.resize(40, 30, { kernel: "cubic" }).raw().toBuffer();
    const input = await sharp(join(folder, "photo.png")).raw().toBuffer();
    const off = input.reduce((sum, value, i) => sum + Math.abs(value - (small[i] ?? 0)), 0) / input.length;
    expect(off).toBeLessThan(20);
    expect(await temporaryFiles()).toEqual([]);
  });

  test("prints one JSON object, and writes the comparison in another format and scale", async () => {
    const { code, stdout, stderr } = await upscale(
      ...[
        "photo.png",
        "missing.png",
        "-o",
        "results/",
        "-m",
        STARTER,
        "-s",
        "2",
        "--tile",
        "64",
        "--tile-overlap",
        "16",
      ],
      ...["--color-fix", "adain", "--seed", "7", "--compare", "--json"],
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`Cannot read "missing.png": the file must exist: there is none of this name`);
    const report = JSON.parse(stdout);
    expect(Object.keys(report)).toEqual(["adapter", "model", "scale", "results", "peakGpuBytes", "milliseconds"]);
    expect(Object.keys(report.adapter)).toEqual(["description", "vendor", "software"]);
    const [done, failed] = report.results;
    expect(done).toMatchObject({
      input: "photo.png",
      output: join("results", "photo_x2.png"),
      width: 80,
      height: 60,
      tiles: 2,
      tile: { width: 48, height: 64 },
      notes: [],
      compare: { output: join("results", "photo_x2_compare.png"), width: 160, height: 60 },
    });
    expect(done.bytes).toBe((await Deno.stat(join(folder, done.output))).size);
    expect(done.peakGpuBytes).toBeGreaterThan(1e6);
    expect(done.stages.transformer).toBeGreaterThan(0);
    const timed = Object.values<number>(done.stages).reduce((sum, milliseconds) => sum + milliseconds, 0);
    expect(timed).toBeLessThanOrEqual(done.milliseconds);
    expect(failed).toEqual({ input: "missing.png", error: expect.stringMatching(/^Cannot read "missing\.png"/) });
    expect(await sharp(join(folder, done.compare.output)).metadata()).toMatchObject({ width: 160, height: 60 });
  });

  test("prints a plan with --dry-run, and writes nothing", async () => {
    const { code, stdout, stderr } = await upscale("photo.png", "-m", STARTER, "--dry-run", "-o", "planned.png");
    expect(stderr).toEqual([]);
    expect(stdout).toMatch(/^Model .*\nPicture {2}40 x 30, in one tile of 160 x 128 of the result\n/);
    expect(stdout).toMatch(/in use at most +[\d.]+ MB\n/);
    expect(code).toBe(0);
    expect(await exists("planned.png")).toBe(false);
  });

  test("makes the same picture within --max-vram, or says what it takes", async () => {
    expect((await upscale("photo.png", "-m", STARTER, "-o", "whole.png")).code).toBe(0);
    const { code, stderr } = await upscale(
      "photo.png",
      "-m",
      STARTER,
      "-o",
      "within.png",
      "--tile",
      "160",
      "--max-vram",
      "20MB",
      "--json",
    );
    expect(stderr[0]).toMatch(/^Within 20 MB: \d+ of \d+ blocks stay, .* MB are loaded for each pass$/);
    expect(code).toBe(0);
    expect(await Deno.readFile(join(folder, "within.png"))).toEqual(await Deno.readFile(join(folder, "whole.png")));
    const none = await upscale("photo.png", "-m", STARTER, "-o", "none.png", "--max-vram", "5MB");
    expect(none.stderr[0]).toMatch(
      /^photo\.png: Cannot upscale \d+ x \d+ pixels within 5 MB of GPU memory: .* take [\d.]+ MB$/,
    );
    expect(none).toMatchObject({ code: 1 });
  });

  test("makes the same picture again with the same seed", async () => {
    const make = async (output: string) => {
      expect((await upscale("photo.png", "-s", "1", "--seed", "3", "-o", output)).code).toBe(0);
      return await Deno.readFile(join(folder, output));
    };
    expect(await make("first.png")).toEqual(await make("second.png"));
  });

  test("takes a folder of ten pictures in all formats, loading the model once", async () => {
    const many = join(folder, "many");
    await Deno.mkdir(many);
    const tiny = picture(12, 9);
    await Promise.all([
      ...[1, 2, 3, 4].map((i) => tiny.clone().png().toFile(join(many, `${i}.png`))),
      tiny.clone().jpeg().toFile(join(many, "5.jpg")),
      tiny.clone().webp().toFile(join(many, "6.webp")),
      tiny.clone().avif().toFile(join(many, "7.avif")),
      tiny.clone().tiff().toFile(join(many, "8.tif")),
      tiny.clone().toColourspace("rgb16").png().toFile(join(many, "9 16-bit.png")),
      tiny.clone().ensureAlpha(0.5).png().toFile(join(many, "10 alpha.png")),
      Deno.writeTextFile(join(many, "notes.txt"), "no picture"),
    ]);
    const { code, stderr } = await upscale("many", "-o", "large", "-s", "2");
    expect(stderr.at(-1)).toBe("10 of 10 done, 0 failed");
    expect(code).toBe(0);
    const large = (name: string) => sharp(join(folder, "large", name)).metadata();
    expect(await large("7_x2.png")).toMatchObject({ width: 24, height: 18 });
    expect(await large("9 16-bit_x2.png")).toMatchObject({ width: 24, depth: "ushort" });
    expect(await large("10 alpha_x2.png")).toMatchObject({ width: 24, hasAlpha: true });
    expect([...Deno.readDirSync(join(folder, "large"))]).toHaveLength(10);
  });
});

test("upscale finds inputs from the folder that deno task was called in", async () => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { code } = await run(["upscale", "photo.png", "-s", "1", "-o", "from_task.png"], {
    cwd,
    env: { INIT_CWD: folder },
  });
  expect(code).toBe(0);
  expect(await exists("from_task.png")).toBe(true);
});

describe("upscale names the bad picture and ends with 1 for", () => {
  /** Runs over one bad picture and a good one. */
  async function fails(name: string, content: Uint8Array | undefined, message: RegExp): Promise<void> {
    if (content) await Deno.writeFile(join(folder, name), content);
    const { code, stderr } = await upscale(name);
    expect(stderr[0]).toMatch(message);
    expect(stderr.slice(1).filter((line) => !line.startsWith("Hint: "))).toEqual([]);
    expect(code).toBe(1);
    expect(await exists(`${name.replace(/\..*$/, "")}_x4.png`)).toBe(false);
  }

  test("a missing file", () => fails("missing.png", undefined, /^Cannot read "missing\.png": the file must exist/));

  test("no image", async () => {
    await fails("text.png", new TextEncoder().encode("hello"), /^Cannot read "text\.png": the file must be an image/);
    await fails("empty.png", new Uint8Array(), /^Cannot read "empty\.png": .* it is empty/);
  });

  test("a truncated image", async () => {
    const jpeg = await picture(64, 64).jpeg().toBuffer();
    await fails("cut.jpg", jpeg.subarray(0, jpeg.length / 2), /^Cannot read "cut\.jpg": the JPEG must be complete/);
  });

  test("an image of too many pixels", async () => {
    await fails(
      "bomb.png",
      await bomb(),
      /^Cannot read "bomb\.png": the picture must have at most .*: it has 100000 x/,
    );
  });

  test("an output that exists, which stays as it was", async () => {
    await Deno.writeTextFile(join(folder, "taken.png"), "precious");
    const { code, stderr } = await upscale("photo.png", "-o", "taken.png");
    expect(stderr).toEqual([
      `photo.png: Cannot write "taken.png": the file must not exist yet: it does`,
      "Hint: pass --overwrite to replace it",
    ]);
    expect(code).toBe(1);
    expect(await Deno.readTextFile(join(folder, "taken.png"))).toBe("precious");
  });

  test("an output in a missing folder", async () => {
    const { code, stderr } = await upscale("photo.png", "-o", "none/out.png");
    expect(stderr).toEqual([`photo.png: Cannot write "none/out.png": its folder must exist: there is no "none"`]);
    expect(code).toBe(1);
  });

  test.runIf(Deno.build.os === "linux")("an output in a folder that is not writable", async () => {
    const { code, stderr } = await upscale("photo.png", "-o", "/proc/out.png");
    expect(stderr[0]).toMatch(/^photo\.png: Cannot write "\/proc\/out\.png": its folder must be writable/);
    expect(code).toBe(1);
  });

  test("the input as its own output", async () => {
    const { code, stderr } = await upscale("photo.png", "-o", "photo.png", "--overwrite");
    expect(stderr).toEqual([`Cannot write "photo.png": it must not replace an input: it is "photo.png"`]);
    expect(code).toBe(1);
  });
});

describe("upscale ends with 1 without", () => {
  test("a model of that name", async () => {
    const { code, stderr } = await upscale("photo.png", "-m", "nowhere", "-o", "a.png");
    expect(stderr[0]).toBe(`photo.png: Cannot open model "nowhere": no such folder`);
    expect(stderr[1]).toMatch(/^Hint: a model folder has/);
    expect(code).toBe(1);
  });

  test("a LoRA of that name", async () => {
    const { code, stderr } = await upscale("photo.png", "--lora", "nowhere.safetensors", "-o", "a.png");
    expect(stderr[0]).toMatch(/^photo\.png: Cannot .*"nowhere\.safetensors"/);
    expect(code).toBe(1);
  });

  test("an adapter, for every picture", async () => {
    const env = { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "/nonexistent", DENO_WEBGPU_BACKEND: "vulkan" };
    await picture(8, 8).png().toFile(join(folder, "second.png"));
    const { code, stdout, stderr } = await run(["upscale", "photo.png", "second.png", "-o", "b/", "--json"], {
      cwd: folder,
      env,
    });
    expect(stderr).toEqual([
      "photo.png: Cannot open a GPU: WebGPU found no adapter",
      expect.stringMatching(/^Hint: install a Vulkan driver/),
      "Not upscaled, for the same reason: second.png",
      "0 of 2 done, 2 failed",
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      adapter: null,
      results: [{ input: "photo.png" }, { input: "second.png" }],
    });
  });
});

test("an interrupt ends upscale with 130 and leaves no file behind", async () => {
  // Some two thousand tiles, each with a wait of 11 ms at least, take long on any GPU.
  await picture(300, 300).png().toFile(join(folder, "slow.png"));
  const command = start(["upscale", "slow.png", "-s", "8", "--tile", "64"], { cwd: folder });
  setTimeout(() => command.kill("SIGINT"), 2500);
  const { code } = await command.output();
  expect(code).toBe(130);
  expect(await exists("slow_x8.png")).toBe(false);
  expect(await temporaryFiles()).toEqual([]);
});

test("an unknown option ends with 2", async () => {
  const { code, stderr } = await upscale("photo.png", "--scal", "2");
  expect(stderr).toEqual(["Unknown option '--scal'", expect.stringMatching(/^Hint: did you mean --scale\?/)]);
  expect(code).toBe(2);
});
