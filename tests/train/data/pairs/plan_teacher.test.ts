import { InputError } from "@fluxsr/core";
import { openGpu, OutOfMemoryError } from "@fluxsr/kernels";
import { beforeAll, expect, test, vi } from "vitest";
import { type PairsConfig, pairsConfig } from "../../../../packages/train/config/pairs_config.ts";
import { makePairs } from "../../../../packages/train/data/pairs/make_pairs.ts";
import { planTeacher, type TeacherPlan } from "../../../../packages/train/data/pairs/plan_teacher.ts";
import { tinyModel } from "../../../e2e/_tiny_model.ts";
import { gpu } from "../../../helpers/gpu.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";
import { pictureFolder } from "../../_pretraining.ts";
import { contentsOf } from "./_pairs.ts";

const BLOCKS = 7, SIZE = 32, STEPS = 2;
const model = temporaryFolder();
let photos: string;

beforeAll(async () => {
  // Blocks are most of what it takes.
  await tinyModel(model, { sizes: { hidden_size: 240, num_heads: 20, depth: 3, depth_single_blocks: 4 } });
  photos = await pictureFolder();
});

/** The two ways to make pairs, and how many velocities a pair takes of each. */
const SOURCES = [["noise", STEPS], ["pictures", 4 * STEPS]] as const;

/** Five pairs in three groups of two. */
function config(source: "noise" | "pictures", change: Partial<PairsConfig> = {}): PairsConfig {
  const from_images = source === "pictures" ? photos : undefined;
  const common = {
    out: `${temporaryFolder()}/pairs`,
    model,
    size: SIZE,
    steps: STEPS,
    count: 5,
    batch_size: 2,
    from_images,
  };
  return pairsConfig.parse({ ...common, ...change });
}

/** What is left in the folder after pairs were made on a GPU of its own, and the most that was reserved of it. */
async function made(config: PairsConfig, { budget = Infinity }: { budget?: number } = {}) {
  using own = await openGpu();
  own.buffers.budget = budget;
  const plans: TeacherPlan[] = [];
  expect(await makePairs(config, { gpu: own, notice: () => {}, onPlan: (plan) => void plans.push(plan) })).toBe(5);
  expect(own.memory.live).toBe(0);
  return { files: contentsOf(config.out), plans, memory: own.memory };
}

test.each(SOURCES)(
  "pairs from %s within a budget are the same to the bit, with some blocks on the GPU and with none; the plan is right to a tenth",
  async (source, velocities) => {
    const whole = await planTeacher(gpu, config(source));
    expect(whole).toMatchObject({ together: 1, loadedPerPair: 0, blocks: { resident: BLOCKS, streamedBytes: 0 } });
    const all = await made(config(source));
    expect(all.plans).toEqual([]);
    expect(Math.abs(whole.peakBytes / all.memory.peak - 1)).toBeLessThan(0.1);
    expect(Math.abs(whole.usedBytes / all.memory.livePeak - 1)).toBeLessThan(0.1);
    const residents: number[] = [], togethers: number[] = [];
    for (const budget of [Math.round(0.8 * whole.usedBytes), await least(source)]) {
      const plan = await planTeacher(gpu, config(source), { budget });
      const { files, plans, memory } = await made(config(source), { budget });
      expect(files).toEqual(all.files);
      expect(plans).toEqual([plan]);
      expect(memory.peak).toBeLessThanOrEqual(budget);
      expect(Math.abs(plan.peakBytes / memory.peak - 1)).toBeLessThan(0.1);
      expect(plan.loadedPerPair).toBe(plan.blocks.streamedBytes * velocities / (2 * plan.together));
      residents.push(plan.blocks.resident);
      togethers.push(plan.together);
    }
    expect(residents[0]).toBeGreaterThan(0);
    expect(residents[0]).toBeLessThan(BLOCKS);
    expect([residents[1], togethers]).toEqual([0, [3, 1]]);
  },
);

test("all blocks stay where they fit", async () => {
  const { usedBytes } = await planTeacher(gpu, config("noise"));
  const { peakBytes, blocks } = await planTeacher(gpu, config("noise"), { budget: usedBytes });
  expect(peakBytes).toBeLessThanOrEqual(usedBytes);
  expect(blocks).toEqual({ all: BLOCKS, resident: BLOCKS, streamedBytes: 0 });
});

test("a budget that one group with one block at a time does not fit is refused, with what would do", async () => {
  const bytes = await least("noise");
  const error = await planTeacher(gpu, config("noise"), { budget: bytes - 1 }).catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  expect([error.message, error.hint]).toEqual([
    `Cannot make pairs within ${bytes - 1} bytes of GPU memory: with one block of the teacher at a time ${bytes} are ` +
    "in use",
    `raise --max-vram to ${Math.ceil(bytes / 1e6)}MB or more, or use a smaller --size or --batch-size`,
  ]);
});

test.each(["while the teacher is loaded", "while pairs are made"])(
  "without a budget, memory that runs out %s is gone on with: the pairs are the same, and the budget is none again",
  async (when) => {
    const { files, memory } = await made(config("noise"));
    const { loadedBytes } = await planTeacher(gpu, config("noise"));
    const most = when === "while pairs are made" ? (loadedBytes + memory.livePeak) / 2 : 0.8 * loadedBytes;
    using own = await openGpu();
    const acquire = own.buffers.acquire.bind(own.buffers), together = own.buffers.acquireTogether.bind(own.buffers);
    const refuse = (bytes: number) => {
      if (own.memory.live + bytes > most) throw new OutOfMemoryError("no room");
    };
    vi.spyOn(own.buffers, "acquire").mockImplementation((bytes) => (refuse(bytes), acquire(bytes)));
    vi.spyOn(own.buffers, "acquireTogether").mockImplementation((sizes) => {
      refuse(sizes.reduce((sum, bytes) => sum + bytes, 0));
      return together(sizes);
    });
    const notices: string[] = [], plans: TeacherPlan[] = [];
    const asked = config("noise");
    const onPlan = (plan: TeacherPlan) => void plans.push(plan);
    await makePairs(asked, { gpu: own, notice: (line) => void notices.push(line), onPlan });
    expect(notices.at(-1)).toMatch(/^The GPU ran out of memory: going on within [\d.]+ [KMG]?B, as with --max-vram$/);
    expect(plans.at(-1)?.blocks.resident).toBeLessThan(BLOCKS);
    expect(contentsOf(asked.out)).toEqual(files);
    expect(own.buffers.budget).toBe(Infinity);
  },
);

test("an interruption ends the work before the next block that is loaded; pairs that were made stay", async () => {
  const { files } = await made(config("noise"));
  using own = await openGpu();
  own.buffers.budget = await least("noise");
  const asked = config("noise"), stop = new AbortController();
  // The first two pairs are there: the third is begun, and ended by its own velocity.
  const onPair = (done: number) => void (done === 2 && setTimeout(() => stop.abort()));
  expect(await makePairs(asked, { gpu: own, notice: () => {}, onPair, signal: stop.signal })).toBe(2);
  expect(own.memory.live).toBe(0);
  expect(Object.keys(contentsOf(asked.out))).toEqual(["manifest.json", "pairs-000000-000001.safetensors"]);
  expect(await makePairs(asked, { gpu: own, notice: () => {} })).toBe(5);
  expect(contentsOf(asked.out)).toEqual(files);
});

/** The least budget that pairs can be made within. */
async function least(source: "noise" | "pictures"): Promise<number> {
  const { message } = await planTeacher(gpu, config(source), { budget: 1 }).catch((error) => error);
  return Number(/at a time (\d+) are in use$/.exec(message)?.[1]);
}
