import { abandon, type Shape, type Tensor } from "@fluxsr/kernels";

/** A weight of a network: its shape as in the checkpoint, and its tensor once loaded. */
export class Parameter {
  /** As in the checkpoint. */
  readonly shape: Shape;
  /** The order in which the checkpoint's axes are stored on the GPU; undefined: as they are. */
  readonly axes: readonly number[] | undefined;
  /** Whether the kernels that read it accept packed storage. */
  readonly packable: boolean;
  #parts: readonly Tensor[] = [];
  #isNeeded = true;

  constructor(shape: Shape, { axes, packable = false }: { axes?: readonly number[]; packable?: boolean } = {}) {
    this.shape = shape;
    this.axes = axes;
    this.packable = packable;
  }

  /** @throws if the weights were not loaded, or are in several parts. */
  get tensor(): Tensor {
    const [tensor, another] = this.parts;
    if (tensor && !another) return tensor;
    throw new Error(`Cannot use a weight as a whole: it is in ${this.#parts.length} parts`);
  }

  /** Takes `tensor` over; the one before is disposed. */
  set tensor(tensor: Tensor) {
    this.parts = [tensor];
  }

  /**
   * The rows, one part of them after the other: a matrix that is larger than a binding may be is in several.
   * @throws if the weights were not loaded.
   */
  get parts(): readonly Tensor[] {
    if (this.#parts.length === 0) throw new Error("Cannot run the network: its weights are not loaded");
    return this.#parts;
  }

  /** Takes the tensors over, which no scope frees then; those before are disposed. */
  set parts(parts: readonly Tensor[]) {
    this.dispose();
    for (const part of parts) abandon(part);
    this.#parts = parts;
  }

  /** Whether the network still has a use for it. */
  get isNeeded(): boolean {
    return this.#isNeeded;
  }

  /** Frees the values, if there are some. */
  dispose(): void {
    for (const part of this.#parts) part.dispose();
    this.#parts = [];
  }

  /** Frees the values for good: what was computed of them is all that the network needs. */
  retire(): void {
    this.dispose();
    this.#isNeeded = false;
  }
}

/** A part of a network. Parameters are found by property path, which equals the checkpoint's key. */
export abstract class Module {
  /** All parameters below this module with their paths. */
  *parameters(prefix = ""): Generator<[string, Parameter]> {
    for (const [path, item] of walk(this, prefix)) {
      if (item instanceof Parameter) yield [path, item];
    }
  }

  /** All modules below this one, and itself, with their paths. */
  *modules(prefix = ""): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [path, item] of walk(this, prefix)) {
      if (item instanceof Module) yield [path, item];
    }
  }

  /** Frees all weights, and what modules below hold besides. */
  dispose(): void {
    for (const [, part] of parts(this, "")) part.dispose();
  }
}

/** A module of a network and its property path. */
export interface Part {
  readonly path: string;
  readonly module: Module;
}

/** Everything below `container`, and all below that. */
function* walk(container: object, prefix: string): Generator<[string, Parameter | Module]> {
  for (const [path, part] of parts(container, prefix)) {
    yield [path, part];
    if (part instanceof Module) yield* walk(part, path);
  }
}

/** What `container` has itself, if only in arrays and plain objects. */
function* parts(container: object, prefix: string): Generator<[string, Parameter | Module]> {
  for (const [key, value] of Object.entries(container)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (value instanceof Parameter || value instanceof Module) yield [path, value];
    else if (isContainer(value)) yield* parts(value, path);
  }
}

/** Arrays and plain objects, such as the numbered layers of a `Sequential`. */
function isContainer(value: unknown): value is object {
  return Array.isArray(value) ||
    (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);
}
