import { type Model, oneStep, predictVelocities, type Rgb8, sample, stepVelocities, timeSchedule } from "@fluxsr/core";
import { add, scoped, type Tensor } from "@fluxsr/kernels";
import { degrade } from "../data/degradation/degrade.ts";
import type { DegradationParameters } from "../data/degradation/parameters.ts";
import { enlarged, toPicture, toTensor, unit } from "../data/pixels.ts";
import { randomOf } from "../random.ts";
import type { Validation } from "../stage.ts";
import { type Distance, meanFigures } from "../validation/figures.ts";
import type { HeldPicture } from "../validation/held_pictures.ts";
import { contactSheet } from "../validation/sheet.ts";
import { lostBy } from "./lost.ts";

/** Euler steps of the teacher from T_L to the data. */
const TEACHER_STEPS = 8;

interface Held {
  readonly z_L: Tensor;
  /** `x_L - D(z_L)`, if the model's `residual` needs it. */
  readonly lost: Tensor | undefined;
  readonly truth: Rgb8;
  readonly bicubic: Rgb8;
  readonly teacher: Rgb8;
}

/** Options of {@linkcode FtdValidation.open}. */
export interface FtdValidationOptions {
  readonly degradation: DegradationParameters;
  readonly scale: number;
  readonly seed: number;
  readonly lpips?: Distance | undefined;
}

/**
 * The same held pictures, degraded once, judged again and again: LR enlarged, the teacher's own path from it, the output
 * of one step, and the truth.
 */
export class FtdValidation implements Disposable {
  readonly #model: Model;
  readonly #held: readonly Held[];
  readonly #lpips: Distance | undefined;
  /** Mean figures of bicubic enlargement and of the teacher's path. */
  readonly baselines: Readonly<Record<"bicubic" | "teacher", Readonly<Record<string, number>>>>;

  private constructor(
    { model, held, lpips, baselines }: {
      model: Model;
      held: readonly Held[];
      lpips: Distance | undefined;
      baselines: FtdValidation["baselines"];
    },
  ) {
    this.#model = model;
    this.#held = held;
    this.#lpips = lpips;
    this.baselines = baselines;
  }

  /** Prepares all that does not change in the run; `model` must not have its LoRA yet. */
  static async open(
    model: Model,
    pictures: readonly HeldPicture[],
    { lpips, ...options }: FtdValidationOptions,
  ): Promise<FtdValidation> {
    const held: Held[] = [];
    for (const [i, { picture }] of pictures.entries()) held.push(await prepare(model, { picture, i, ...options }));
    const judge = (of: (one: Held) => Rgb8) =>
      meanFigures(held.map((one) => ({ image: of(one), reference: one.truth })), { lpips });
    const baselines = { bicubic: await judge((one) => one.bicubic), teacher: await judge((one) => one.teacher) };
    return new FtdValidation({ model, held, lpips, baselines });
  }

  /** Judges the model as it is. */
  async validate(): Promise<Validation> {
    const { autoencoder, settings: { T_L }, gpu } = this.#model;
    const outputs: Rgb8[] = [];
    for (const { z_L, lost } of this.#held) {
      const [v] = await stepVelocities(this.#model, [z_L]);
      using x_0hat = scoped(gpu, () => {
        const decoded = autoencoder.decode([oneStep(z_L, v!, T_L)])[0]!;
        return lost ? add(decoded, lost) : decoded;
      });
      v!.dispose();
      outputs.push(await toPicture(x_0hat));
    }
    const judged = this.#held.map(({ truth }, i) => ({ image: outputs[i]!, reference: truth }));
    const rows = this.#held.map(({ bicubic, teacher, truth }, i) => [bicubic, teacher, outputs[i]!, truth]);
    return {
      figures: await meanFigures(judged, { lpips: this.#lpips }),
      sheet: await contactSheet(rows, { titles: ["LR enlarged", "teacher path", "one step", "HR"] }),
    };
  }

  [Symbol.dispose](): void {
    for (const { z_L, lost } of this.#held) for (const each of [z_L, lost]) each?.dispose();
  }
}

async function prepare(
  model: Model,
  { picture, i, degradation: parameters, scale, seed }: Omit<FtdValidationOptions, "lpips"> & {
    picture: Rgb8;
    i: number;
  },
): Promise<Held> {
  const { gpu, autoencoder, settings: { T_L, residual } } = model;
  using hr = scoped(gpu, () => unit(toTensor(gpu, picture)));
  // Not sharpened before: the truth is the picture as it is.
  const unsharpened = { ...parameters, sharpen: null };
  using lr = await degrade(hr, { parameters: unsharpened, scale, random: randomOf(seed, "validation", i) });
  using x_L = enlarged(lr, { scale });
  const z_L = scoped(gpu, () => autoencoder.encode([x_L])[0]!);
  const lost = residual ? lostBy(autoencoder, { x_L, z_L }) : undefined;
  // The teacher goes from z_L at T_L to the data in several steps, as if z_L were a point of its own flow.
  const times = timeSchedule(TEACHER_STEPS).map((t) => t * T_L);
  const velocity = async (z: Tensor, t: number) => (await predictVelocities(model, [z], { timesteps: [t] }))[0]!;
  using z_0 = await sample(z_L, velocity, { times });
  using teacher = scoped(gpu, () => autoencoder.decode([z_0])[0]!);
  return { z_L, lost, truth: picture, bicubic: await toPicture(x_L), teacher: await toPicture(teacher) };
}
