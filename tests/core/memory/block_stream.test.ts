import { attachedLora, attachLora, createLora, loadModel } from "@fluxsr/core";
import { empty, openGpu, read } from "@fluxsr/kernels";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { AdaptedLoader } from "../../../packages/core/lora/adapted_loader.ts";
import { tinyModel } from "../../e2e/_tiny_model.ts";
import { gpu, random } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const folder = temporaryFolder();

beforeAll(() => tinyModel(folder, { sizes: { depth: 2, depth_single_blocks: 2 } }));

/** A pass back through the blocks, between other ops; `seen` is told of each. */
function* backwards(seen: (path: string) => void): Generator<string, number> {
  for (const path of ["mean", "single_blocks.1", "single_blocks.0", "concat", "double_blocks.1", "double_blocks.0"]) {
    yield path;
    seen(path);
  }
  return 5;
}

describe("BlockStream", () => {
  test("has a block on the GPU while a pass is at it, in whatever order, and adapters that others attached always", async () => {
    using model = await loadModel(gpu, folder, { lora: false, residentBlocks: 1 });
    const options = { rank: 2, random: (module: string) => ({ normal: () => random([1], module.length)[0]! }) };
    attachLora(gpu, model.mmdit, createLora(model.config.transformer, options));
    const blocks = new Map([...model.mmdit.blocks()].map(({ path, module }) => [path, module]));
    const isLoaded = (path: string) =>
      [...blocks.get(path)!.parameters()].every(([, each]) => {
        try {
          return each.parts.length > 0;
        } catch {
          return false;
        }
      });
    const factors = await read(...[...attachedLora(model.mmdit).values()].flatMap(({ a, b }) => [a, b]));
    const { live } = gpu.memory;
    const { sizes } = model.blocks;
    expect([model.blocks.resident, model.blocks.isWhole, sizes.length]).toEqual([1, false, 4]);
    const seen: unknown[] = [];
    const pass = backwards((path) => void seen.push([path, [...blocks.keys()].filter(isLoaded)]));
    const [result] = await model.blocks.run([pass]);
    const [resident] = blocks.keys();
    expect(result).toBe(5);
    expect(seen).toEqual([
      ["mean", [resident]],
      ["single_blocks.1", [resident, "single_blocks.1"]],
      ["single_blocks.0", [resident, "single_blocks.0"]],
      ["concat", [resident]],
      ["double_blocks.1", [resident, "double_blocks.1"]],
      ["double_blocks.0", [resident]],
    ]);
    expect(model.blocks.loadedBytes).toBe(sizes[1]! + sizes[2]! + sizes[3]!);
    expect(gpu.memory.live).toBe(live);
    expect(await read(...[...attachedLora(model.mmdit).values()].flatMap(({ a, b }) => [a, b]))).toEqual(factors);
  });

  test("waits for the queue where more was given back than a budget may be exceeded by", async () => {
    using own = await openGpu();
    using model = await loadModel(own, folder, { lora: false, residentBlocks: 1 });
    function* pass(): Generator<string, void> {
      for (let i = 0; i < 3; i++) {
        yield "op";
        empty(own, [2 ** 20]).dispose();
        own.trim();
      }
    }
    const waits = vi.spyOn(own, "sync");
    const waited = async (budget: number) => {
      own.buffers.budget = budget;
      await own.sync();
      waits.mockClear();
      await model.blocks.run([pass()]);
      return waits.mock.calls.length;
    };
    expect([await waited(Infinity), await waited(2 ** 30), await waited(2 ** 27)]).toEqual([0, 0, 2]);
  });

  test("ends the pass if a block cannot be loaded", async () => {
    using model = await loadModel(gpu, folder, { lora: false, residentBlocks: 1 });
    const { load } = AdaptedLoader.prototype;
    vi.spyOn(AdaptedLoader.prototype, "load").mockImplementation(function (this: AdaptedLoader, part) {
      return part.path === "single_blocks.0" ? Promise.reject(new Error("cut off")) : load.call(this, part);
    });
    let isFreed = false;
    function* pass(): Generator<string, void> {
      try {
        yield* backwards(() => {});
      } finally {
        isFreed = true;
      }
    }
    const { live } = gpu.memory;
    await expect(model.blocks.run([pass()])).rejects.toThrow("cut off");
    vi.restoreAllMocks();
    expect([isFreed, gpu.memory.live]).toEqual([true, live]);
  });
});
