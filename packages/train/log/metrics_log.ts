import { join } from "node:path";
import { writeAtomically } from "@fluxsr/core";
import { appendRecord, dropRecords, type MetricRecord, type StepRecord } from "./metrics_file.ts";
import { EventFile } from "./tensorboard.ts";

/** Numbers by name. */
type Figures = Readonly<Record<string, number>>;

/** Where a run keeps its records, below its folder. */
export const METRICS = "metrics.jsonl";

/** The sheet of the validation after `step`, below the run's folder. */
export function sheetPath(step: number): string {
  return join("validation", `step-${step}.png`);
}

/**
 * Writes down how a run goes: `metrics.jsonl`, TensorBoard's events in `tensorboard/`, and the sheets in `validation/`.
 *
 * What belongs to a step is written before the checkpoint of that step, so that a run that goes on from a checkpoint
 * leaves the records of one that was never stopped.
 */
export class MetricsLog {
  readonly #folder: string;
  readonly #events: EventFile;
  readonly #now: () => Date;

  /** @param folder of the run */
  constructor(folder: string, { now = () => new Date() }: { now?: () => Date } = {}) {
    this.#folder = folder;
    this.#events = new EventFile(join(folder, "tensorboard"), { now });
    this.#now = now;
  }

  /**
   * Begins or goes on: to be called first. Drops what was written after step `step`; all at step 0, where a run begins.
   * @throws {InputError} if `metrics.jsonl` is damaged or cannot be written
   */
  async resumeAt(step: number): Promise<void> {
    const from = step === 0 ? 0 : step + 1;
    for (const name of ["tensorboard", "validation"]) await Deno.mkdir(join(this.#folder, name), { recursive: true });
    await dropRecords(join(this.#folder, METRICS), { from });
    await this.#events.start({ from });
  }

  /** Notes what a step was like. */
  async step(record: Omit<StepRecord, "time">): Promise<void> {
    const { step, lr, images_per_s, loss, grad_norm } = record;
    await this.#append({ step, time: this.#now().toISOString(), lr, loss, grad_norm, images_per_s });
    await this.#events.scalars(step, {
      lr,
      images_per_s,
      ...grouped("loss", loss),
      ...grouped("grad_norm", grad_norm),
    });
  }

  /** Notes how the weights after `step` do. @param validation `sheet` is a PNG */
  async validation({ step, figures, sheet }: { step: number; figures: Figures; sheet: Uint8Array }): Promise<void> {
    await writeAtomically(join(this.#folder, sheetPath(step)), sheet, { overwrite: true });
    await this.#append({ step, time: this.#now().toISOString(), validation: { ...figures } });
    await this.#events.scalars(step, grouped("validation", figures));
    await this.#events.image(step, { tag: "validation", png: sheet });
  }

  /** Notes, once and before the first step, what the figures are to be compared with: those of `bicubic`, say. */
  async baselines(baselines: Readonly<Record<string, Figures>>): Promise<void> {
    for (const [baseline, figures] of Object.entries(baselines)) {
      await this.#append({ step: 0, time: this.#now().toISOString(), baseline, validation: { ...figures } });
      await this.#events.scalars(0, grouped(baseline, figures));
    }
  }

  async #append(record: MetricRecord): Promise<void> {
    await appendRecord(join(this.#folder, METRICS), record);
  }
}

/** `{ ftd: 1 }` in group `loss` is `{ "loss/ftd": 1 }`. */
function grouped(group: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${group}/${name}`, value]));
}
