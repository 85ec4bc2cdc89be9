import { loadModel, type Model, type Picture, upscale } from "@fluxsr/core";
import { Gpu, OutOfMemoryError } from "@fluxsr/kernels";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { deviceCalls } from "../helpers/device_calls.ts";
import { gpu } from "../helpers/gpu.ts";
import { STARTER } from "../helpers/starter.ts";

let model: Model;
beforeAll(async () => {
  model = await loadModel(gpu, STARTER);
});
afterAll(() => model.dispose());

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Waves of several lengths in all three channels: smooth and detailed parts, no noise. */
function waves(width: number, height: number, depth: 8 | 16 = 8): Picture {
  const max = 2 ** depth - 1;
  const values = Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    const wave = Math.sin(x * (0.13 + 0.05 * c) + y * 0.07) + Math.sin(x * 0.6 - y * (0.4 - 0.1 * c)) * 0.5;
    return Math.round(max * (0.5 + wave / 4));
  });
  const rgb = depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values);
  return { width, height, depth, rgb, grey: false, notes: [] };
}

const OPTIONS = { scale: 4, colorFix: "wavelet" } as const;

function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

describe("upscale()", () => {
  test.each([[1, 1, 4], [1, 7, 3], [13, 5, 1], [17, 11, 2], [9, 3, 8]])(
    "makes %i x %i exactly %i times larger",
    async (width, height, scale) => {
      const { picture } = await upscale(model, waves(width, height), { ...OPTIONS, scale });
      expect([picture.width, picture.height]).toEqual([width * scale, height * scale]);
      expect(picture.rgb.length).toBe(width * height * scale * scale * 3);
    },
  );

  test("keeps the colours: the mean moves by less than 1/255 with wavelet and adain", async () => {
    const source = waves(24, 20);
    const before = mean(source.rgb);
    for (const colorFix of ["wavelet", "adain"] as const) {
      const { picture } = await upscale(model, source, { scale: 4, colorFix });
      const after = mean(picture.rgb);
      expect(Math.abs(after - before)).toBeLessThan(1);
    }
  });

  test.each([8, 16] as const)(
    "refuses what a GPU that computes nothing leaves of %i bits, a black picture",
    async (depth) => {
      const idle = new Gpu(gpu.device, gpu.adapter);
      const loaded = await loadModel(idle, STARTER);
      vi.spyOn(idle, "run").mockImplementation(() => {});
      const source = waves(16, 12, depth);
      await expect(upscale(loaded, source, OPTIONS)).rejects.toThrow("must have the picture's colours");
      await expect(upscale(loaded, source, { ...OPTIONS, colorFix: "none" })).resolves.toMatchObject({ tiles: 1 });
      loaded.dispose();
      idle.trim();
    },
  );

  test("gives 16 bits the same picture as 8 bits, in finer steps", async () => {
    const [fine, coarse] = [waves(16, 12, 16), waves(16, 12, 8)];
    const a = (await upscale(model, fine, OPTIONS)).picture;
    const b = (await upscale(model, coarse, OPTIONS)).picture;
    expect(a.depth).toBe(16);
    expect(a.rgb).toBeInstanceOf(Uint16Array);
    expect(meanDifference(Float64Array.from(a.rgb, (value) => value / 257), b.rgb)).toBeLessThan(1);
    expect(new Set(a.rgb).size).toBeGreaterThan(256);
  });

  test("enlarges alpha apart: opaque and clear halves stay exact away from their border", async () => {
    const source = waves(12, 8);
    const alpha = Uint8Array.from({ length: 96 }, (_, i) => i % 12 < 6 ? 255 : 0);
    const { picture } = await upscale(model, { ...source, alpha }, OPTIONS);
    const opaque = (await upscale(model, source, OPTIONS)).picture;
    expect(picture.rgb).toEqual(opaque.rgb);
    const row = picture.alpha!.slice(0, 48);
    expect([...row.slice(0, 16), ...row.slice(-16)]).toEqual([...Array(16).fill(255), ...Array(16).fill(0)]);
  });

  test("grey stays grey, and EXIF is kept", async () => {
    const { rgb, ...source } = waves(12, 8);
    const exif = Uint8Array.of(1, 2, 3);
    const { picture, enlarged } = await upscale(model, {
      ...source,
      rgb: rgb.map((_, i) => rgb[i - i % 3]!),
      grey: true,
      exif,
    }, { ...OPTIONS, compare: true });
    for (const { rgb, ...made } of [picture, enlarged!]) {
      expect(made).toMatchObject({ grey: true, exif });
      expect(rgb.every((value, i) => value === rgb[i - i % 3])).toBe(true);
      expect(new Set(rgb).size).toBeGreaterThan(50);
    }
  });

  test("is the same with one tile and with many, on average, and has no seams", async () => {
    const source = waves(104, 72);
    const whole = await upscale(model, source, { ...OPTIONS, tile: 512 });
    const tiled = await upscale(model, source, { ...OPTIONS, tile: 256 });
    expect([whole.tiles, tiled.tiles]).toEqual([1, 4]);
    expect(meanDifference(whole.picture.rgb, tiled.picture.rgb)).toBeLessThan(1);
    const { width, height, rgb } = tiled.picture;
    // Tiles cross where two of them count half: in the middle of the overlap.
    const borders = new Set([width / 2 - 1]);
    const gradient = (picture: Picture, columns: (x: number) => boolean) => {
      let [sum, count] = [0, 0];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x + 1 < width; x++) {
          if (!columns(x)) continue;
          for (let c = 0; c < 3; c++, count++) {
            const at = (y * width + x) * 3 + c;
            sum += Math.abs(picture.rgb[at + 3]! - picture.rgb[at]!);
          }
        }
      }
      return sum / count;
    };
    expect(rgb.length).toBe(width * height * 3);
    // Relative to the untiled picture, so that a real edge under the border does not count as a seam.
    const near = (x: number) => [...borders].some((border) => Math.abs(x - border) <= 16);
    const change = gradient(tiled.picture, near) / gradient(whole.picture, near);
    const elsewhere = gradient(tiled.picture, (x) => !near(x)) / gradient(whole.picture, (x) => !near(x));
    expect(change / elsewhere).toBeGreaterThan(0.95);
    expect(change / elsewhere).toBeLessThan(1.05);
  });

  test("takes tile, border and token shifts from the model's settings", async () => {
    const settings = { ...model.settings, tile: 96, border: 16, token_shifts: 4 };
    const { picture, tiles, tile } = await upscale({ ...model, settings }, waves(24, 16), OPTIONS);
    expect([tiles, tile]).toEqual([2, { width: 80, height: 96 }]);
    const plain = (await upscale(model, waves(24, 16), OPTIONS)).picture;
    expect(picture.rgb.length).toBe(plain.rgb.length);
    expect(meanDifference(picture.rgb, plain.rgb)).toBeGreaterThan(0.1);
    expect(meanDifference(picture.rgb, plain.rgb)).toBeLessThan(20);
    const unshifted = { ...settings, token_shifts: 1 };
    const once = (await upscale({ ...model, settings: unshifted }, waves(24, 16), OPTIONS)).picture;
    expect(meanDifference(picture.rgb, once.rgb)).toBeGreaterThan(0.1);
  });

  test("submits a tile in as many parts as it has stages, and waits once", async () => {
    const work = () => upscale(model, waves(12, 8), OPTIONS).then(() => {});
    await work();
    const { submissions, waits, pipelines } = await deviceCalls(gpu, work);
    expect(submissions).toBeLessThanOrEqual(4);
    expect({ waits, pipelines }).toEqual({ waits: 1, pipelines: 0 });
  });

  test("repeats exactly with a seed, and the seed matters", async () => {
    const source = waves(8, 8);
    const run = async (seed?: number) => (await upscale(model, source, { ...OPTIONS, seed })).picture.rgb;
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
    expect(await run()).toEqual(await run());
  });

  test("takes a share of the step: less changes less, all of it is the default", async () => {
    const source = waves(12, 8);
    const run = async (strength?: number) =>
      (await upscale(model, source, { ...OPTIONS, colorFix: "none", strength })).picture.rgb;
    const [none, some, all] = [await run(0), await run(0.5), await run(1)];
    expect(all).toEqual(await run());
    const change = meanDifference(all, none);
    expect(change).toBeGreaterThan(0.1);
    expect(meanDifference(some, none)).toBeGreaterThan(change / 4);
    expect(meanDifference(some, none)).toBeLessThan(change * 3 / 4);
    for (const strength of [-0.1, 1.5, NaN]) {
      await expect(upscale(model, source, { ...OPTIONS, strength })).rejects.toThrow(
        `Cannot upscale: strength must be from 0 to 1: it is ${strength}`,
      );
    }
  });

  test("reports progress and stages, and returns the plain enlargement", async () => {
    const progress: [number, number][] = [];
    const result = await upscale(model, waves(40, 20), {
      ...OPTIONS,
      tile: 96,
      compare: true,
      timed: true,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(progress).toEqual(Array.from({ length: result.tiles + 1 }, (_, i) => [i, result.tiles]));
    for (const stage of ["enlarge", "encode", "transformer", "decode", "read"]) {
      expect(result.stages[stage]).toBeGreaterThan(0);
    }
    expect(result.enlarged?.rgb.length).toBe(160 * 80 * 3);
  });

  test("does not keep GPU memory over repeated pictures of different sizes", async () => {
    await upscale(model, waves(8, 8), OPTIONS);
    const before = gpu.memory.reserved;
    for (let i = 0; i < 10; i++) await upscale(model, waves(5 + i, 9), OPTIONS);
    expect(gpu.memory.reserved).toBe(before);
  });

  test("refuses a scale that is out of range", async () => {
    await expect(upscale(model, waves(4, 4), { ...OPTIONS, scale: 9 })).rejects.toThrow("from 1 to 8: it is 9");
    await expect(upscale(model, waves(4, 4), { ...OPTIONS, scale: 1.5 })).rejects.toThrow("from 1 to 8: it is 1.5");
  });
});

test("upscale() leaves nothing on the GPU when it fails halfway", async () => {
  const before = gpu.memory.live;
  const onProgress = (done: number) => {
    if (done === 1) throw new Error("stop");
  };
  await expect(upscale(model, waves(40, 20), { ...OPTIONS, tile: 96, onProgress })).rejects.toThrow("stop");
  expect(gpu.memory.live).toBe(before);
});

describe("upscale() without enough memory", () => {
  const source = waves(64, 40);
  const run = async (tile: number, notices: string[] = []) =>
    await upscale(model, source, { ...OPTIONS, tile, onNotice: (line) => notices.push(line) });

  /** Runs with so many bytes less than it takes in tiles of 256 pixels. */
  const within = async (share: number, work: () => Promise<void>) => {
    const { stageBytes } = await run(256);
    const held = gpu.memory.live;
    gpu.trim();
    gpu.buffers.budget = held + share * (Math.max(...Object.values(stageBytes)) - held);
    await work().finally(() => void (gpu.buffers.budget = Infinity));
  };

  test("halves the tiles, says so, and makes the picture that smaller tiles make", async () => {
    const notices: string[] = [];
    await within(0.6, async () => {
      const { picture, tiles } = await run(256, notices);
      expect(notices).toEqual(["The GPU ran out of memory: trying again with tiles of 128 pixels"]);
      expect(tiles).toBeGreaterThan(2);
      expect(picture.rgb).toEqual((await run(128)).picture.rgb);
    });
  });

  test("first takes tiles one at a time that were together", async () => {
    const { stageBytes, picture: together } = await run(128);
    const notices: string[] = [];
    const held = gpu.memory.live;
    gpu.trim();
    // Room for what the choice of together or not counts with, then not enough for it.
    const acquire = gpu.buffers.acquire.bind(gpu.buffers);
    const most = held + 0.8 * (Math.max(...Object.values(stageBytes)) - held);
    vi.spyOn(gpu.buffers, "acquire").mockImplementation((bytes) => {
      if (gpu.memory.live + bytes > most) throw new OutOfMemoryError("no room");
      return acquire(bytes);
    });
    const { tiles, picture } = await run(128, notices);
    vi.restoreAllMocks();
    expect(picture.rgb).toEqual(together.rgb);
    expect(notices).toEqual(["The GPU ran out of memory: trying again with one tile at a time"]);
    expect(tiles).toBeGreaterThan(2);
  });

  test.each([0.7, 0.5])(
    "makes the same picture to the bit, tiles one at a time, within %d of what it takes",
    async (share) => {
      const { picture: together, stageBytes } = await run(96);
      const held = gpu.memory.live;
      gpu.trim();
      gpu.buffers.budget = held + share * (Math.max(...Object.values(stageBytes)) - held);
      const notices: string[] = [];
      const { picture, stageBytes: less, tiles } = await run(96, notices).finally(() =>
        void (gpu.buffers.budget = Infinity)
      );
      expect([tiles > 4, notices]).toEqual([true, []]);
      expect(picture.rgb).toEqual(together.rgb);
      expect(less.decode! - held).toBeLessThan(share * (stageBytes.decode! - held));
    },
  );

  test("gives up at tiles that would be too small, and leaves nothing on the GPU", async () => {
    const before = gpu.memory.live;
    await within(0.05, async () => {
      await expect(run(256)).rejects.toThrow(OutOfMemoryError);
    });
    expect(gpu.memory.live).toBe(before);
    expect((await run(256)).tiles).toBe(1);
  });
});
