import { join } from "node:path";
import { InputError, openSafetensors, osReason, writeSafetensors } from "@fluxsr/core";
import { read, type Tensor } from "@fluxsr/kernels";

/** Grows when what a checkpoint holds changes its meaning. */
const FORMAT = "fluxsr-checkpoint-1";
const STATE = "state.safetensors";

/** What a run needs to go on after `step` steps: all tensors of the trained state by name. */
export interface Checkpoint {
  readonly step: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * The checkpoints of a run: folders `step-N`, of which the last few are kept.
 *
 * A checkpoint gets its name only when it is complete and on the disk, so that a run that is killed at any moment, or
 * finds the disk full, leaves the one before. Random numbers are named by step (`randomOf`), so there is no generator's
 * state to keep.
 */
export class CheckpointStore {
  readonly #folder: string;
  readonly #keep: number;

  /** @param options `keep` is how many are left in `folder`, at least 1 */
  constructor(folder: string, { keep }: { keep: number }) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /** The steps of which there is a checkpoint, in order. */
  async steps(): Promise<number[]> {
    const found: number[] = [];
    try {
      for await (const { name, isDirectory } of Deno.readDir(this.#folder)) {
        const step = /^step-(\d+)$/.exec(name)?.[1];
        if (isDirectory && step !== undefined) found.push(Number(step));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return found.sort((a, b) => a - b);
  }

  /**
   * Writes a checkpoint, then removes the oldest.
   * @throws {InputError} if it cannot be written; those before are left
   */
  async save({ step, tensors }: Checkpoint): Promise<void> {
    const [names, values] = [[...tensors.keys()], await read(...tensors.values())];
    const data = names.map((name, i) => {
      const value = values[i] ?? new Float32Array();
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      return [name, { dtype: "F32", shape: tensors.get(name)?.shape ?? [], bytes }] as const;
    });
    const temporary = join(this.#folder, `.step-${step}.tmp`);
    try {
      await this.#removeUnfinished();
      await Deno.mkdir(temporary, { recursive: true });
      await writeSafetensors(join(temporary, STATE), data, { metadata: { format: FORMAT, step: String(step) } });
      await Deno.remove(this.#path(step), { recursive: true }).catch(() => {}); // of a run that was resumed before it
      await Deno.rename(temporary, this.#path(step));
    } catch (cause) {
      await Deno.remove(temporary, { recursive: true }).catch(() => {});
      const last = (await this.steps()).at(-1);
      throw new InputError(`Cannot save the checkpoint of step ${step}: ${osReason(cause)}`, {
        hint: last === undefined
          ? "There is none yet."
          : `The checkpoint of step ${last} is complete: --resume goes on from it.`,
        cause,
      });
    }
    const old = (await this.steps()).slice(0, -this.#keep);
    await Promise.all(old.map((each) => Deno.remove(this.#path(each), { recursive: true })));
  }

  /**
   * Loads the newest checkpoint into `tensors`, which must be those that were saved.
   *
   * @returns the step that it was made after; undefined if there is no checkpoint
   * @throws {InputError} if the checkpoint is damaged or does not have these tensors
   */
  async restore(tensors: ReadonlyMap<string, Tensor>): Promise<number | undefined> {
    const step = (await this.steps()).at(-1);
    if (step === undefined) return undefined;
    using file = await openSafetensors(join(this.#path(step), STATE));
    const fail = (state: string) => new InputError(`Cannot resume from "${file.path}": it must fit the run: ${state}`);
    if (file.metadata.format !== FORMAT) throw fail(`its format is "${file.metadata.format}", not "${FORMAT}"`);
    for (const name of file.tensors.keys()) if (!tensors.has(name)) throw fail(`the run has no "${name}"`);
    for (const [name, tensor] of tensors) {
      const entry = file.tensors.get(name);
      if (!entry) throw fail(`it lacks "${name}"`);
      if (entry.dtype !== "F32" || entry.shape.join() !== tensor.shape.join()) {
        throw fail(`"${name}" is ${entry.dtype} [${entry.shape.join(", ")}], not F32 [${tensor.shape.join(", ")}]`);
      }
    }
    for (const [name, tensor] of tensors) tensor.gpu.write(tensor.buffer, await file.read(name));
    return step;
  }

  #path(step: number): string {
    return join(this.#folder, `step-${step}`);
  }

  /** What a killed process left half written. */
  async #removeUnfinished(): Promise<void> {
    try {
      for await (const { name } of Deno.readDir(this.#folder)) {
        if (/^\.step-\d+\.tmp$/.test(name)) await Deno.remove(join(this.#folder, name), { recursive: true });
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
