import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "./tensor.ts";

/** The gradients of an op's inputs, in their order, given that of its output; undefined where none is needed. */
export type Backward = (dy: Tensor) => readonly (Tensor | undefined)[];

/** The same of an op with several outputs; undefined is given for those that did not influence the result. */
export type BackwardOfAll = (dys: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[];

/** How an op came to its outputs. */
interface Recorded<B> {
  readonly inputs: readonly Tensor[];
  /**
   * Of inputs and outputs those whose values `backward` reads: the others' memory is given back as soon as nothing else
   * needs it.
   */
  readonly saved: readonly Tensor[];
  /** Makes the gradients of the inputs; undefined: differentiating through the op is an error. */
  readonly backward: B | undefined;
}

/** One op on a tape. */
export interface Node extends Recorded<BackwardOfAll> {
  readonly op: string;
  readonly outputs: readonly Tensor[];
}

const open = new WeakMap<Gpu, Tape>();

/** Options of a {@linkcode Tape}. */
export interface TapeOptions {
  /** Whether what is computed in a {@linkcode checkpoint} is not kept but computed again for the gradient. */
  readonly recompute?: boolean;
  /** A tape whose tracked tensors are tracked here too; this one records in its place. */
  readonly within?: Tape;
}

/**
 * The record of what was computed from the watched tensors, for the gradient.
 *
 * Ops call {@linkcode record}, which does nothing unless a tape is open on their GPU and one of the inputs depends on
 * a watched tensor: so inference and training run the same code, and frozen weights cost no gradient work. The tape
 * holds a handle on every tensor whose values it needs, until it is closed.
 */
export class Tape {
  readonly recompute: boolean;
  readonly #gpu: Gpu;
  readonly #within: Tape | undefined;
  readonly #before: Tape | undefined;
  readonly #nodes: Node[] = [];
  readonly #tracked = new Set<Tensor>();

  /** Opens a tape on `gpu`; only one can be open. Close it with `using` or {@linkcode Tape.close}. */
  constructor(gpu: Gpu, { recompute = false, within }: TapeOptions = {}) {
    this.#before = open.get(gpu);
    if (this.#before && this.#before !== within) {
      throw new Error("Cannot open a tape: one is open on this GPU already");
    }
    this.recompute = recompute;
    this.#gpu = gpu;
    this.#within = within;
    open.set(gpu, this);
  }

  /** Marks `tensor` as one whose gradient is wanted. */
  watch(tensor: Tensor): void {
    this.#tracked.add(tensor);
  }

  /** Whether `tensor` depends on a watched one: a gradient for it is needed. */
  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor) || (this.#within?.tracks(tensor) ?? false);
  }

  add(node: Node): void {
    for (const tensor of node.saved) tensor.retain();
    this.#nodes.push(node);
    for (const output of node.outputs) this.#tracked.add(output);
  }

  /** What was recorded, in order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Stops recording; what was recorded stays until {@linkcode Tape.close}. */
  stop(): void {
    if (open.get(this.#gpu) !== this) return;
    if (this.#before) open.set(this.#gpu, this.#before);
    else open.delete(this.#gpu);
  }

  /** Releases everything that the tape holds. */
  close(): void {
    this.stop();
    for (const { saved } of this.#nodes.splice(0)) for (const tensor of saved) tensor.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The tape that is open on `gpu`, if any. */
export function openTape(gpu: Gpu): Tape | undefined {
  return open.get(gpu);
}

/** An op that has no gradient. */
type Undifferentiable = Pick<Recorded<never>, "inputs"> & { readonly backward?: undefined };

/** Notes on the open tape, if any, what op `output` is the result of, and returns `output`. */
export function record(op: string, output: Tensor, how: Recorded<Backward> | Undifferentiable): Tensor {
  const { inputs, backward } = how;
  if (!backward) recordAll(op, [output], { inputs, saved: [], backward });
  else recordAll(op, [output], { ...how, backward: ([dy]) => dy ? backward(dy) : [] });
  return output;
}

/** {@linkcode record} for an op with several outputs. */
export function recordAll<T extends readonly Tensor[]>(op: string, outputs: T, how: Recorded<BackwardOfAll>): T {
  const tape = outputs[0] && open.get(outputs[0].gpu);
  if (tape && how.inputs.some((input) => tape.tracks(input))) tape.add({ op, outputs, ...how });
  return outputs;
}

/** Whether a gradient with respect to `tensor` is being recorded. */
export function tracked(tensor: Tensor): boolean {
  return open.get(tensor.gpu)?.tracks(tensor) ?? false;
}

/** Runs `body` without recording it: what an op does for itself, when its gradient is its own. */
export function unrecorded<T>(gpu: Gpu, body: () => T): T {
  const tape = open.get(gpu);
  open.delete(gpu);
  try {
    return body();
  } finally {
    if (tape) open.set(gpu, tape);
  }
}
