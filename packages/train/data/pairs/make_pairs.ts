import { BUNDLED_MODEL, loadModel, withinLess } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import type { PairsConfig } from "../../config/pairs_config.ts";
import { randomOf } from "../../random.ts";
import { crop, openPictures } from "../pictures.ts";
import { sampleOrder } from "../sample_order.ts";
import { turned } from "../turned.ts";
import { invertedPairs } from "./inverted_pairs.ts";
import { planTeacher, type TeacherPlan } from "./plan_teacher.ts";
import { Teacher } from "./teacher.ts";
import { teacherPairs } from "./teacher_pairs.ts";
import { type WriteOptions, writePairs } from "./write_pairs.ts";

/** Options of {@linkcode makePairs}, beside those of {@linkcode writePairs}. */
export interface MakeOptions extends Pick<WriteOptions, "signal" | "onPair"> {
  readonly gpu: Gpu;
  /** Is told in a line what the user should know. */
  readonly notice: (text: string) => void;
  /** Is told how the budget of the GPU is kept, before the teacher is loaded within it. */
  readonly onPlan?: (plan: TeacherPlan) => void;
  /** Is told that the teacher is loaded, before the first pair. */
  readonly onLoaded?: () => void;
}

/**
 * Makes the pairs that `config` asks for in its folder, with a teacher that is loaded for it. Where the GPU has a budget,
 * it is kept to as {@linkcode planTeacher} has it; the pairs are the same to the bit. Without one, memory that runs out is
 * gone on within: the pairs that were made stay.
 *
 * @returns how many of `config.count` there are: fewer only if `signal` or `config.max_seconds` ended the work
 * @throws {InputError} if the settings do not fit the model or the budget, a picture cannot be used, or the folder has
 * other pairs
 */
export async function makePairs(config: PairsConfig, options: MakeOptions): Promise<number> {
  const { gpu, notice } = options;
  const deadline = config.max_seconds === undefined ? undefined : AbortSignal.timeout(1000 * config.max_seconds);
  return await withinLess(gpu, () => make(config, { ...options, deadline }), { onNotice: notice });
}

async function make(
  config: PairsConfig,
  { gpu, notice, onPlan, onLoaded, ...options }: MakeOptions & Pick<WriteOptions, "deadline">,
): Promise<number> {
  const { out, count, from_images, pairs_per_shard, model: directory = BUNDLED_MODEL, precision } = config;
  const plan = await planWithin(gpu, config);
  if (plan) onPlan?.(plan);
  using model = await loadModel(gpu, directory, { lora: false, precision, residentBlocks: plan?.blocks.resident });
  const teacher = await Teacher.of(model, { ...config, together: plan?.together });
  const { maker, ...source } = from_images === undefined
    ? { maker: teacherPairs(teacher), source: "teacher" as const, solver: "euler" as const }
    : await fromImages(from_images, { teacher, turn: config.turn, notice });
  const settings = teacher.settings({ ...source, pairs_per_shard });
  onLoaded?.();
  return await writePairs(out, { ...options, maker, settings, count });
}

/** How the budget of the GPU is kept; undefined: there is none. */
async function planWithin(gpu: Gpu, config: PairsConfig): Promise<TeacherPlan | undefined> {
  const { budget, memory } = gpu.buffers;
  return budget === Infinity ? undefined : await planTeacher(gpu, config, { budget: budget - memory.live });
}

/** Random crops of the pictures in `folder`, all of them in turn, each time in another order. */
async function fromImages(
  folder: string,
  { teacher, turn, notice }: { teacher: Teacher; turn: boolean; notice: MakeOptions["notice"] },
) {
  const { size, seed } = teacher.options;
  const { count, picture } = await openPictures([folder], { size, notice });
  const cropOf = async (i: number) => {
    const square = crop(await picture(sampleOrder(i, { count, seed })), size, randomOf(seed, "crop", i));
    return turn ? turned(square, randomOf(seed, "turn", i)) : square;
  };
  return {
    maker: invertedPairs(teacher, cropOf),
    source: "images" as const,
    solver: "heun" as const,
    pictures: count,
    ...(turn && { turn }),
  };
}
