import { InputError } from "@fluxsr/core";
import { DeviceLostError, OutOfMemoryError, UnsupportedFeatureError } from "@fluxsr/kernels";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { UpscaleDeps } from "../../packages/cli/_upscale_request.ts";
import { fakeDeps, fakeHost, namesIn, removeFolders } from "./_fakes.ts";
import { run } from "./_run_upscale.ts";

afterEach(removeFolders);

describe("runUpscale()", () => {
  test("writes each picture, says so, and ends with 0", async () => {
    const { folder, code, stdout, stderr, calls } = await run({ files: { "a.png": "note", "b.png": "" } });
    expect(code).toBe(0);
    expect(namesIn(folder)).toEqual(["a.png", "a_x4.png", "b.png", "b_x4.png"]);
    expect(Deno.readTextFileSync(join(folder, "a_x4.png"))).toBe("16 x 12");
    expect(stdout).toBe("");
    expect(stderr).toBe([
      "a.png -> a_x4.png (16 x 12, 2 tiles, 2.1 s)",
      "  animated: used frame 1 of 2",
      "b.png -> b_x4.png (16 x 12, 2 tiles, 2.1 s)",
      "2 of 2 done, 0 failed",
      "",
    ].join("\n"));
    expect(calls).toMatchObject({ opened: 1, destroyed: 1, disposed: 1 });
    expect(calls.loaded).toMatchObject([{ directory: "some/model", options: { precision: "auto", fold: true } }]);
    expect(calls.planned).toEqual([]);
  });

  test("passes the options on", async () => {
    const { calls } = await run({
      files: { "a.png": "" },
      ...{ lora: "l", scale: 2, tile: 64, tileOverlap: 8, colorFix: "none", precision: "f32", seed: 3, strength: 0.5 },
    });
    expect(calls.loaded[0]?.options).toMatchObject({ lora: "l", precision: "f32" });
    expect(calls.upscaled[0]).toMatchObject({ scale: 2, tile: 64, tileOverlap: 8, colorFix: "none", seed: 3 });
    expect(calls.upscaled[0]).toMatchObject({ strength: 0.5, compare: false, timed: false });
  });

  test("passes on what is to be known", async () => {
    const good = fakeDeps(fakeHost()).upscale;
    const upscale: UpscaleDeps["upscale"] = (model, picture, options) => {
      options.onNotice?.("The GPU ran out of memory: trying again with tiles of 128 pixels");
      return good(model, picture, options);
    };
    const { stderr } = await run({ files: { "a.png": "" }, deps: { upscale } });
    expect(stderr).toContain("The GPU ran out of memory: trying again with tiles of 128 pixels: a.png\n");
  });

  test("says how fast a large model was loaded", async () => {
    const good = fakeDeps(fakeHost());
    const host = fakeHost();
    const loadModel: UpscaleDeps["loadModel"] = (gpu, directory, options) => {
      options?.onProgress?.(2e9, 24e9);
      host.clock += 10_000;
      options?.onProgress?.(24e9, 24e9);
      return good.loadModel(gpu, directory, options);
    };
    const { stderr } = await run({ files: { "a.png": "" }, deps: { host, loadModel } });
    expect(stderr + host.stderr).toContain("Loaded 24 GB in 10.0 s, 2.40 GB/s\n");
  });

  test("names each input that fails, goes on, and ends with 1", async () => {
    const { folder, code, stderr } = await run({
      files: { "a.png": "bad", "b.png": "" },
      inputs: ["a.png", "none.png", "b.png", "*.tif"],
    });
    expect(code).toBe(1);
    expect(stderr).toBe([
      `Cannot read "a.png": it is bad`,
      "Hint: make it good",
      `Cannot read "none.png": the file must exist: there is none of this name`,
      "b.png -> b_x4.png (16 x 12, 2 tiles, 2.1 s)",
      `Cannot read "*.tif": a glob must match a picture: it matches none`,
      "1 of 4 done, 3 failed",
      "",
    ].join("\n"));
    expect(namesIn(folder)).toEqual(["a.png", "b.png", "b_x4.png"]);
  });

  test("opens no GPU for pictures that cannot be read, or whose output exists", async () => {
    const { folder, code, stderr, calls } = await run({
      files: { "a.png": "bad", "b.png": "", "b_x4.png": "old" },
      inputs: ["a.png", "b.png"],
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`Cannot write "b_x4.png": the file must not exist yet: it does\nHint: pass --overwrite`);
    expect(calls.opened).toBe(0);
    expect(Deno.readTextFileSync(join(folder, "b_x4.png"))).toBe("old");
  });

  test("replaces an output with --overwrite", async () => {
    const { folder, code } = await run({
      files: { "b.png": "", "b_x4.png": "old" },
      inputs: ["b.png"],
      overwrite: true,
    });
    expect(code).toBe(0);
    expect(Deno.readTextFileSync(join(folder, "b_x4.png"))).toBe("16 x 12");
  });

  test("ends with 2 if no argument matches a picture, but with 1 for a missing file", async () => {
    expect((await run({ files: { "a.txt": "" }, inputs: ["*.png", "."] })).code).toBe(2);
    expect((await run({ files: {}, inputs: ["none.png"] })).code).toBe(1);
  });

  test("refuses an overlap of half a tile", async () => {
    await expect(run({ files: {}, tile: 64, tileOverlap: 32 })).rejects.toThrow("it must be below half of --tile");
  });

  test("names the input where the error does not", async () => {
    const upscale = () => Promise.reject(new OutOfMemoryError("Cannot allocate: no memory", "use a smaller --tile"));
    const { stderr } = await run({ files: { "a.png": "" }, maxVram: 9e9, deps: { upscale } });
    expect(stderr).toContain("a.png: Cannot allocate: no memory\nHint: use a smaller --tile\n");
  });

  test("shows stacks with --debug only", async () => {
    expect((await run({ files: { "a.png": "bad" } })).stderr).not.toContain("    at ");
    expect((await run({ files: { "a.png": "bad" }, debug: true })).stderr).toContain("    at ");
  });

  test("also writes both pictures side by side with --compare", async () => {
    const { folder, code, stderr } = await run({ files: { "a.png": "" }, compare: true });
    expect(code).toBe(0);
    expect(namesIn(folder)).toEqual(["a.png", "a_x4.png", "a_x4_compare.png"]);
    expect(Deno.readTextFileSync(join(folder, "a_x4_compare.png"))).toBe("32 x 12");
    expect(stderr).toContain("a.png -> a_x4.png, a_x4_compare.png (16 x 12");
  });

  test("updates one line on a terminal", async () => {
    const { stderr } = await run({ files: { "a.png": "" }, columns: 200 });
    expect(stderr.split("\r\x1b[K").map((line) => line.replace(/: .*\/a\.png$/, ": a.png"))).toEqual([
      "",
      "[1/1] reading: a.png",
      "[1/1] loading the model: a.png",
      "[1/1] tile 1/2: a.png",
      "[1/1] tile 2/2, 1 s left: a.png",
      "[1/1] tile 2/2: a.png",
      "[1/1] writing: a.png",
      "a.png -> a_x4.png (16 x 12, 2 tiles, 2.1 s)\n",
    ]);
  });
});

describe("runUpscale() fails all that is left", () => {
  test("without an adapter", async () => {
    const openGpu = () => Promise.reject(new UnsupportedFeatureError("Cannot open a GPU: none", "install one"));
    const { code, stderr, calls } = await run({ files: { "a.png": "", "b.png": "", "c.png": "" }, deps: { openGpu } });
    expect(code).toBe(1);
    expect(stderr).toBe([
      "a.png: Cannot open a GPU: none",
      "Hint: install one",
      "Not upscaled, for the same reason: b.png",
      "Not upscaled, for the same reason: c.png",
      "0 of 3 done, 3 failed",
      "",
    ].join("\n"));
    expect(calls.loaded).toEqual([]);
  });

  test("with a model that cannot be loaded, once", async () => {
    let loads = 0;
    const loadModel = () => {
      loads++;
      return Promise.reject(new InputError("Cannot open model"));
    };
    const { code, stdout, calls } = await run({
      files: { "a.png": "", "b.png": "" },
      deps: { loadModel },
      json: true,
    });
    expect(code).toBe(1);
    expect(loads).toBe(1);
    expect(calls.destroyed).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      adapter: { description: "Pretender 9" },
      model: null,
      results: [{ input: "a.png", error: "Cannot open model" }, { input: "b.png", error: "Cannot open model" }],
    });
  });

  test("after the device was lost, and keeps what was done", async () => {
    const good = fakeDeps(fakeHost()).upscale;
    let calls = 0;
    const upscale: UpscaleDeps["upscale"] = (...args) =>
      calls++ === 1 ? Promise.reject(new DeviceLostError("Cannot use the GPU: lost")) : good(...args);
    const files = { "a.png": "", "b.png": "", "c.png": "" };
    const { folder, code, stderr } = await run({ files, deps: { upscale } });
    expect(code).toBe(1);
    expect(calls).toBe(2);
    expect(stderr).toContain("b.png: Cannot use the GPU: lost\nNot upscaled, for the same reason: c.png\n");
    expect(namesIn(folder)).toEqual(["a.png", "a_x4.png", "b.png", "c.png"]);
  });
});

describe("runUpscale() with --json", () => {
  test("prints exactly one object on stdout", async () => {
    const { code, stdout } = await run({
      files: { "a.png": "note", "b.png": "bad" },
      json: true,
      compare: true,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      adapter: { description: "Pretender 9", vendor: "none", software: true },
      model: { name: "fake", path: "some/model" },
      scale: 4,
      results: [
        {
          input: "a.png",
          output: "a_x4.png",
          width: 16,
          height: 12,
          tile: { width: 16, height: 16 },
          tiles: 2,
          stages: { "read file": 10, "transformer": 1500, "write file": 200 },
          milliseconds: 2210,
          peakGpuBytes: 30,
          bytes: 576,
          notes: ["animated: used frame 1 of 2"],
          compare: { output: "a_x4_compare.png", width: 32, height: 12, bytes: 1152 },
        },
        { input: "b.png", error: `Cannot read "b.png": it is bad`, hint: "make it good" },
      ],
      peakGpuBytes: 30,
      milliseconds: 2210,
    });
  });

  test("has no adapter where none was needed", async () => {
    const { code, stdout } = await run({ files: {}, inputs: ["*.png"], json: true });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      adapter: null,
      model: null,
      peakGpuBytes: 0,
      results: [{ input: "*.png" }],
    });
  });
});
