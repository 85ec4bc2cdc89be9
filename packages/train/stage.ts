import type { BlockStream } from "@fluxsr/core";
import type { Gpu, Tensor } from "@fluxsr/kernels";

/** Loss terms by name, each [1]. */
export type Terms = Readonly<Record<string, Tensor>>;

/** Terms that share a forward pass. Groups are differentiated one after another: only one is in memory at a time. */
export interface LossGroup<Batch> {
  /** How much each term counts in the total; terms that are switched off are not there. */
  readonly weights: Readonly<Record<string, number>>;
  /** The terms of `weights`, each the mean over the batch; recorded on the open tape. May wait for blocks to be loaded. */
  loss(batch: Batch): Terms | Promise<Terms>;
}

/** The terms of a loss that are not weighted by 0. */
export function switchedOn(weights: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0));
}

/** The samples of one forward pass. */
export interface Batch extends Disposable {
  /** What the user knows the samples by, for messages. */
  readonly samples: readonly string[];
}

/** Which batch: part `part` of step `step`, both counted from 0. */
export interface BatchIndex {
  readonly step: number;
  readonly part: number;
}

/** Figures of the validation by name, e.g. `psnr_y`, and the sheet to look at. */
export interface Validation {
  readonly figures: Readonly<Record<string, number>>;
  /** PNG */
  readonly sheet: Uint8Array<ArrayBuffer>;
}

/** What is trained, on what, by which loss; the trainer does the rest. */
export interface Stage<B extends Batch = Batch> extends Disposable {
  readonly gpu: Gpu;
  /** What is trained, by the names that checkpoints use; changed in place. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly groups: readonly LossGroup<B>[];
  /** The frozen blocks of the network, some of which may be loaded in their turn; undefined: nothing is frozen. */
  readonly blocks?: BlockStream;
  /** The same for the same index, whatever came before. */
  batch(index: BatchIndex): Promise<B>;
  /** Judges the weights as they are; undefined if there is nothing to judge them by. */
  validate(): Promise<Validation | undefined>;
  /** Figures that stay the same, to compare with: those of bicubic enlargement, say. */
  readonly baselines?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Writes the weights as they are into `folder` for use; returns the paths that the user is told. */
  writeResult(folder: string): Promise<string[]>;
}

/** What a stage is opened with. */
export interface OpenOptions {
  /** Is told what the user should know. */
  readonly notice: (text: string) => void;
  /** How many of the frozen blocks stay on the GPU; default: all. Other stages have none. */
  readonly residentBlocks?: number | undefined;
}

/**
 * Opens a stage on a GPU, or on one that only counts, which needs nothing to validate with.
 *
 * @throws {InputError} if a model or a weight file cannot be used
 */
export type OpenStage<B extends Batch = Batch> = (gpu: Gpu, options: OpenOptions) => Promise<Stage<B>>;
