import { OverBudgetError } from "@fluxsr/core";
import { OutOfMemoryError } from "@fluxsr/kernels";
import { afterEach, describe, expect, test } from "vitest";
import type { UpscaleDeps } from "../../packages/cli/_upscale_request.ts";
import { fakeDeps, fakeHost, fakePlan, namesIn, plainPicture, removeFolders } from "./_fakes.ts";
import { run } from "./_run_upscale.ts";

afterEach(removeFolders);

describe("runUpscale() where memory is short", () => {
  test("keeps to --max-vram with the blocks and the tile that a plan finds, and says so", async () => {
    const { calls, stderr } = await run({ files: { "a.png": "" }, maxVram: 7.2e9, tile: 256 });
    expect(calls.planned).toMatchObject([{ model: "some/model", budget: 7.2e9, tile: 256, scale: 4 }]);
    expect(calls.loaded).toMatchObject([{ options: { residentBlocks: 4 } }]);
    expect(stderr).toContain("Within 7.2 GB: 4 of 10 blocks stay, 6 GB are loaded for each pass\n");
    const small = await run({ files: { "a.png": "" }, maxVram: 2.5e9 });
    expect(small.calls.upscaled[0]).toMatchObject({ tile: 256 });
    expect(small.stderr).toContain("Within 2.5 GB: tiles of 256 pixels instead of 512, which have no room\n");
    const none = await run({ files: { "a.png": "" }, maxVram: 1e9 });
    expect(none).toMatchObject({ code: 1, calls: { loaded: [] } });
    expect(none.stderr).toContain("Cannot upscale within 1000000000 bytes");
  });

  test("plans for all pictures at once, as --dry-run does", async () => {
    const files = { "a.png": "", "b.png": "large", "c.png": "bad" };
    const { calls } = await run({ files, maxVram: 7.2e9, tile: 64, tileOverlap: 8, seed: 3 });
    const dry = await run({ files, maxVram: 7.2e9, tile: 64, tileOverlap: 8, seed: 3, dryRun: true });
    expect(calls.planned).toHaveLength(1);
    expect(calls.planned[0]).toMatchObject({ sizes: [{ width: 4, height: 3 }, { width: 400, height: 300 }] });
    expect(dry.calls.planned[0]).toEqual(calls.planned[0]);
  });

  test("makes the pictures that have room within --max-vram, if one of them has none", async () => {
    const planUpscale: UpscaleDeps["planUpscale"] = (_, { sizes = [], ...options }) => {
      const isTooLarge = sizes.some(({ width }) => width > 4);
      return Promise.resolve().then(() => fakePlan({ ...options, sizes, ...isTooLarge && { budget: 1e9 } }));
    };
    const sizes: [number, number][] = [[400, 300], [4, 3], [400, 300]];
    let read = 0, made = 0;
    const good = fakeDeps(fakeHost()).upscale;
    const { code, stderr, calls } = await run({
      files: { "a.png": "large", "b.png": "", "c.png": "large" },
      maxVram: 7.2e9,
      deps: {
        planUpscale,
        readImage: () => {
          const [width, height] = sizes[read++]!;
          return Promise.resolve(plainPicture(width, height));
        },
        upscale: (...args) => made++ === 0 ? good(...args) : Promise.reject(new OutOfMemoryError("no room")),
      },
    });
    expect([code, calls.loaded.length, calls.disposed]).toEqual([1, 1, 1]);
    expect(stderr.split("\n").slice(0, 6)).toEqual([
      "a.png: Cannot upscale within 1000000000 bytes",
      "Hint: raise --max-vram to 2000MB or more, or wait",
      "Within 7.2 GB: 4 of 10 blocks stay, 6 GB are loaded for each pass",
      "b.png -> b_x4.png (16 x 12, 2 tiles, 0.1 s)",
      "c.png: Cannot upscale within 1000000000 bytes",
      "Hint: raise --max-vram to 2000MB or more, or wait",
    ]);
  });

  test("goes on within what there was when the GPU runs out of memory while loading", async () => {
    const good = fakeDeps(fakeHost()).loadModel;
    let loads = 0;
    const loadModel: UpscaleDeps["loadModel"] = (gpu, directory, options) => {
      if (++loads > 1) return good(gpu, directory, options);
      Object.assign(gpu.memory, { peak: 10e9 });
      return Promise.reject(new OutOfMemoryError("Cannot allocate"));
    };
    const { code, stderr, calls } = await run({ files: { "a.png": "" }, deps: { loadModel } });
    expect(code).toBe(0);
    expect(calls.planned).toMatchObject([{ budget: 8.5e9 }]);
    expect(stderr).toContain(
      "The GPU ran out of memory: going on within 8.5 GB, as with --max-vram\n" +
        "Within 8.5 GB: 5 of 10 blocks stay, 5 GB are loaded for each pass\n",
    );
    const within = await run({
      files: { "a.png": "" },
      maxVram: 9e9,
      deps: { loadModel: () => Promise.reject(new OutOfMemoryError("Cannot allocate")) },
    });
    expect(within).toMatchObject({ code: 1, stderr: expect.stringContaining("a.png: Cannot allocate\n") });
  });

  test("goes on after a picture that does not fit in memory", async () => {
    const good = fakeDeps(fakeHost()).upscale;
    let calls = 0;
    const upscale: UpscaleDeps["upscale"] = (...args) =>
      calls++ === 0 ? Promise.reject(new OutOfMemoryError("Cannot allocate")) : good(...args);
    const files = { "a.png": "", "b.png": "" };
    const { code, folder } = await run({ files, maxVram: 9e9, deps: { upscale } });
    expect(code).toBe(1);
    expect(namesIn(folder)).toContain("b_x4.png");
  });

  test("leaves more of the model on the disk, again and again, for a picture that does not fit in memory", async () => {
    const good = fakeDeps(fakeHost());
    let attempts = 0;
    const upscale: UpscaleDeps["upscale"] = (model, ...args) => {
      if (++attempts > 2) return good.upscale(model, ...args);
      Object.assign(model.gpu.memory, { peak: 10e9 });
      return Promise.reject(new OutOfMemoryError("Cannot allocate"));
    };
    const { code, stderr, calls } = await run({ files: { "a.png": "", "b.png": "" }, deps: { upscale } });
    expect([code, calls.opened, calls.loaded.length, calls.disposed]).toEqual([0, 1, 3, 3]);
    expect(calls.planned).toMatchObject([{ budget: 8.5e9 }, { budget: 7.225e9 }]);
    expect(stderr).toContain("The GPU ran out of memory: going on within 7.22 GB, as with --max-vram\n");
  });

  test("goes on with the whole model after a picture that no budget is enough for", async () => {
    const good = fakeDeps(fakeHost());
    let attempts = 0;
    const upscale: UpscaleDeps["upscale"] = (...args) =>
      ++attempts > 1 ? good.upscale(...args) : Promise.reject(new OutOfMemoryError("Cannot allocate"));
    const planUpscale = () =>
      Promise.reject(new OverBudgetError("Cannot upscale within 1 byte", { neededBytes: 8e9, instead: "wait" }));
    const files = { "a.png": "", "b.png": "" };
    const { code, stderr, calls } = await run({ files, deps: { upscale, planUpscale } });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Cannot upscale within 1 byte\n.*\nb.png -> b_x4.png/)]);
    expect(stderr).toContain("Hint: wait, close other programs that use the GPU, or use one with more memory\n");
    expect(stderr).not.toContain("--max-vram to");
    expect(calls).toMatchObject({ opened: 1, loaded: [{ options: { fold: true } }, { options: { fold: true } }] });
  });
});
