import type { Model } from "@fluxsr/core";
import type { PairsConfig } from "../../config/pairs_config.ts";
import { randomOf } from "../../random.ts";
import { crop, openPictures } from "../pictures.ts";
import { sampleOrder } from "../sample_order.ts";
import { invertedPairs } from "./inverted_pairs.ts";
import { Teacher } from "./teacher.ts";
import { teacherPairs } from "./teacher_pairs.ts";
import { type WriteOptions, writePairs } from "./write_pairs.ts";

/** Options of {@linkcode makePairs}, beside those of {@linkcode writePairs}. */
export interface MakeOptions extends Pick<WriteOptions, "signal" | "onPair"> {
  /** The model, loaded without its LoRA. */
  readonly model: Model;
  /** Is told of pictures that are left out. */
  readonly notice: (text: string) => void;
}

/**
 * Makes the pairs that `config` asks for in its folder.
 *
 * @returns how many of `config.count` there are: fewer only if `signal` or `config.max_seconds` ended the work
 * @throws {InputError} if the settings do not fit the model, a picture cannot be used, or the folder has other pairs
 */
export async function makePairs(config: PairsConfig, options: MakeOptions): Promise<number> {
  const { out, count, from_images, pairs_per_shard, max_seconds } = config;
  const teacher = await Teacher.of(options.model, config);
  const { maker, ...source } = from_images === undefined
    ? { maker: teacherPairs(teacher), source: "teacher" as const, solver: "euler" as const }
    : await fromImages(from_images, { teacher, notice: options.notice });
  const settings = teacher.settings({ ...source, pairs_per_shard });
  const signals = [options.signal, max_seconds === undefined ? undefined : AbortSignal.timeout(1000 * max_seconds)];
  const signal = AbortSignal.any(signals.filter((each) => each !== undefined));
  return await writePairs(out, { ...options, maker, settings, count, signal });
}

/** Random crops of the pictures in `folder`, all of them in turn, each time in another order. */
async function fromImages(folder: string, { teacher, notice }: { teacher: Teacher; notice: MakeOptions["notice"] }) {
  const { size, seed } = teacher.options;
  const { count, picture } = await openPictures([folder], { size, notice });
  const cropOf = async (i: number) =>
    crop(await picture(sampleOrder(i, { count, seed })), size, randomOf(seed, "crop", i));
  return {
    maker: invertedPairs(teacher, cropOf),
    source: "images" as const,
    solver: "heun" as const,
    pictures: count,
  };
}
