import {
  granularity,
  InputError,
  type Model,
  predictVelocities,
  timeSchedule,
  timeShift,
  type VelocityField,
} from "@fluxsr/core";
import { concat, empty, type Gpu, split } from "@fluxsr/kernels";
import type { Grouping } from "./groups.ts";
import { latentShape } from "./latent_shape.ts";
import { identifyModel, type ModelIdentity } from "./model_hash.ts";
import type { PairsSettings } from "./manifest.ts";
import type { MadePair } from "./pair.ts";
import { openPrompts, type Prompts } from "./prompts.ts";

/** What is asked of a teacher; see `pairsConfig`. */
export interface TeacherOptions {
  readonly size: number;
  readonly steps: number;
  readonly guidance: number;
  readonly schedule: "flux" | "uniform";
  readonly seed: number;
  readonly prompts?: string | undefined;
  /** Pairs that are made together; default 1. */
  readonly batch_size?: number;
  /** Groups of them that are made side by side; default 1. */
  readonly together?: number | undefined;
  /** Pairs in all, beyond which no group is made beside another; default: no limit. */
  readonly count?: number;
}

/** The flow model that the pairs come from, at one picture size and with one set of prompts. */
export class Teacher {
  readonly model: Model;
  readonly prompts: Prompts;
  readonly identity: ModelIdentity;
  readonly options: TeacherOptions;
  /** Height, width and channels of a latent. */
  readonly latent: [height: number, width: number, channels: number];
  /** From 1 (noise) to 0 (data). */
  readonly times: readonly number[];

  private constructor(
    model: Model,
    { prompts, identity, options }: { prompts: Prompts; identity: ModelIdentity; options: TeacherOptions },
  ) {
    this.model = model;
    this.prompts = prompts;
    this.identity = identity;
    this.options = options;
    this.latent = latentShape(model, options.size);
    const tokens = this.latent[0] * this.latent[1] / 4;
    this.times = timeSchedule(options.steps, options.schedule === "flux" ? timeShift(tokens) : undefined);
  }

  /** @throws {InputError} if the size does not fit the model, or the prompts cannot be used */
  static async of(model: Model, options: TeacherOptions): Promise<Teacher> {
    checkSize(model, options);
    const prompts = await openPrompts(model, options.prompts);
    return new Teacher(model, { prompts, identity: await identifyModel(model.path), options });
  }

  /**
   * One to plan with: nothing identifies it, and its one prompt of `tokens` tokens is blank.
   * @throws {InputError} if the size does not fit the model
   */
  static blank(model: Model, options: TeacherOptions, { tokens }: { tokens: number }): Teacher {
    checkSize(model, options);
    const { context_in_dim, vec_in_dim } = model.config.transformer;
    const conditioning = (gpu: Gpu, { length: batch }: readonly number[]) =>
      Promise.resolve({ txt: empty(gpu, [batch, tokens, context_in_dim]), y: empty(gpu, [batch, vec_in_dim]) });
    const prompts = { count: 1, sha256: "", of: () => 0, conditioning };
    return new Teacher(model, { prompts, identity: { name: model.name, sha256: "" }, options });
  }

  /** How pairs are made at once. */
  get grouping(): Grouping {
    const { batch_size: size = 1, together = 1, count: end = Infinity } = this.options;
    return { size, together, end };
  }

  /**
   * The velocity of latents, one for each pair of `groups`, with their prompts, to be integrated; to be called in a scope.
   * Each group is computed as if it were alone; blocks that are loaded in their turn are loaded once for all.
   *
   * @param signal ends the work before the next such block, with its reason
   */
  async velocity(groups: readonly (readonly number[])[], signal?: AbortSignal): Promise<VelocityField> {
    const { model, prompts, options: { guidance } } = this;
    const textOf = (numbers: readonly number[]) => prompts.conditioning(model.gpu, numbers.map((i) => prompts.of(i)));
    const conditionings = await Promise.all(groups.map(textOf));
    const sizes = groups.map(({ length }) => length);
    return async (x, t) => {
      const options = { timesteps: [t], guidance, conditionings, signal };
      return concat(await predictVelocities(model, split(x, 0, sizes), options), 0);
    };
  }

  /** What the manifest of this teacher's pairs says. */
  settings(
    own: Pick<PairsSettings, "source" | "solver" | "pictures" | "pairs_per_shard">,
  ): PairsSettings {
    const { size, steps, schedule, guidance, seed } = this.options;
    const prompts = { count: this.prompts.count, sha256: this.prompts.sha256 };
    const batch_size = this.grouping.size;
    const model = this.identity, latent = this.latent;
    return { model, ...own, size, latent, steps, schedule, guidance, seed, prompts, batch_size };
  }
}

function checkSize(model: Model, { size }: Pick<TeacherOptions, "size">): void {
  const multiple = granularity(model);
  if (size % multiple === 0) return;
  throw new InputError(`Cannot make pairs: size must be a multiple of ${multiple}: it is ${size}`);
}

/** @throws {InputError} if the teacher's numbers of pair `i` are not finite */
export function checked(pair: MadePair, i: number): MadePair {
  for (const part of ["eps", "z_0"] as const) {
    if (pair[part].every(Number.isFinite)) continue;
    throw new InputError(`Cannot make pair ${i}: ${part} must be finite: it has NaN or infinity`, {
      hint: "try --precision f32, and check that the model's weights are complete",
    });
  }
  return pair;
}
