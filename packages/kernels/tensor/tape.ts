import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "./tensor.ts";

/** The gradients of an op's inputs, in their order, given that of its output; undefined where none is needed. */
export type Backward = (dy: Tensor) => readonly (Tensor | undefined)[];

/** One op: `output` was computed from `inputs`. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly backward: Backward | undefined;
}

const open = new WeakMap<Gpu, Tape>();

/**
 * The record of what was computed from the watched tensors, for the gradient.
 *
 * Ops call {@linkcode record}, which does nothing unless a tape is open on their GPU and one of the inputs depends on
 * a watched tensor: so inference and training run the same code, and frozen weights cost no gradient work. The tape
 * holds a handle on every tensor it needs, until it is closed.
 */
export class Tape {
  readonly #gpu: Gpu;
  readonly #nodes: Node[] = [];
  readonly #tracked = new Set<Tensor>();

  /** Opens a tape on `gpu`; only one can be open. Close it with `using` or {@linkcode Tape.close}. */
  constructor(gpu: Gpu) {
    if (open.has(gpu)) throw new Error("Cannot open a tape: one is open on this GPU already");
    this.#gpu = gpu;
    open.set(gpu, this);
  }

  /** Marks `tensor` as one whose gradient is wanted. */
  watch(tensor: Tensor): void {
    this.#tracked.add(tensor);
  }

  /** Whether `tensor` depends on a watched one: a gradient for it is needed. */
  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor);
  }

  add(node: Node): void {
    for (const tensor of [...node.inputs, node.output]) tensor.retain();
    this.#nodes.push(node);
    this.#tracked.add(node.output);
  }

  /** What was recorded, in order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Stops recording; what was recorded stays until {@linkcode Tape.close}. */
  stop(): void {
    if (open.get(this.#gpu) === this) open.delete(this.#gpu);
  }

  /** Releases everything that the tape holds. */
  close(): void {
    this.stop();
    for (const { inputs, output } of this.#nodes.splice(0)) {
      for (const tensor of [...inputs, output]) tensor.release();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Notes on the open tape, if any, that `output` was computed from `inputs`, and returns `output`.
 *
 * @param backward makes the gradients of the inputs; ops that have none yet leave it out, and differentiating through
 * them is an error
 */
export function record(op: string, output: Tensor, inputs: readonly Tensor[], backward?: Backward): Tensor {
  const tape = open.get(output.gpu);
  if (tape && inputs.some((input) => tape.tracks(input))) tape.add({ op, inputs, output, backward });
  return output;
}

/** Whether a gradient with respect to `tensor` is being recorded. */
export function tracked(tensor: Tensor): boolean {
  return open.get(tensor.gpu)?.tracks(tensor) ?? false;
}
