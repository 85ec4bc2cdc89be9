import { byteLength, DryGpu, empty, emptyTogether, type Gpu, scoped, sizeOf } from "@fluxsr/kernels";
import { checkParameters } from "../weights/check.ts";
import type { WeightSource } from "../weights/weight_source.ts";
import type { Module, Parameter } from "./module.ts";
import { type PartShape, partsOf, type Precision, storedDtype, upload } from "./upload.ts";

/** Bytes of staging memory after which an upload is waited for: WebGPU keeps it until the queue has run. */
export const STAGING: number = 256 * 2 ** 20;

/** Bytes from which on the parameters of a part share an allocation: drivers round many small ones up. */
const TOGETHER = 64 * 2 ** 20;

/** What a {@linkcode Loader} reads, and how its values are kept. */
export interface LoaderOptions {
  /** Names are the property paths of the network. */
  readonly source: WeightSource;
  readonly precision: Precision;
  /** Is told of the bytes of the file that were loaded. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Loads a network from a checkpoint, all at once or a part at a time.
 *
 * Tensors are streamed in pieces, each submitted at once, so that neither the host nor the GPU's staging memory holds more
 * than a few of them. On a {@linkcode DryGpu}, which holds nothing, they are not read at all.
 */
export class Loader {
  readonly #gpu: Gpu;
  readonly #options: LoaderOptions;
  #staged = 0;

  constructor(gpu: Gpu, options: LoaderOptions) {
    this.#gpu = gpu;
    this.#options = options;
  }

  /**
   * Checks that the checkpoint is that of `network`, without reading a tensor.
   * @throws {InputError} if a tensor is missing, unknown, or has another shape or dtype
   */
  check(network: Module): void {
    const shapes = [...network.parameters()].map(([name, { shape }]) => [name, shape] as const);
    checkParameters(this.#options.source, new Map(shapes));
  }

  /**
   * Loads the parameters of `part`, which is at `path` of the network, but for those that it does not need any more.
   * @throws {InputError} if a value is not finite or the file cannot be read; nothing of the part is left then
   */
  async load(part: Module, path = ""): Promise<void> {
    const needed = [...part.parameters(path)].filter(([, { isNeeded }]) => isNeeded);
    try {
      this.#allocate(needed);
      if (this.#gpu instanceof DryGpu) return;
      for (const [name, parameter] of needed) {
        const { source } = this.#options;
        const stream = await source.stream(name);
        const onPiece = (bytes: number) => this.#note(bytes);
        await upload(parameter, parameter.parts, { name, path: source.path, stream, onPiece });
      }
    } catch (error) {
      for (const [, parameter] of needed) parameter.dispose();
      throw error;
    }
  }

  /** Bytes on the GPU of the parameters of `part`, which is at `path` of the network, loaded or not. */
  bytesOf(part: Module, path = ""): number {
    return bytesOf(this.#shapes([...part.parameters(path)].filter(([, { isNeeded }]) => isNeeded)).flat());
  }

  /** The tensors that hold each of the parameters. */
  #shapes(parameters: readonly (readonly [string, Parameter])[]): PartShape[][] {
    const { source, precision } = this.#options;
    return parameters.map(([name, parameter]) => {
      const dtype = storedDtype(parameter, { dtype: source.tensors.get(name)?.dtype ?? "F32", precision });
      return partsOf(parameter, { dtype, largest: this.#gpu.buffers.largest });
    });
  }

  /** Memory for all parameters, in one allocation if that is large; weights that a LoRA changes may be replaced one by one. */
  #allocate(parameters: readonly (readonly [string, Parameter])[]): void {
    const gpu = this.#gpu;
    const shapes = this.#shapes(parameters);
    const all = shapes.flat();
    const isLarge = this.#options.precision === "native" && bytesOf(all) >= TOGETHER;
    const together = isLarge ? emptyTogether(gpu, all) : undefined;
    for (const [i, [, parameter]] of parameters.entries()) {
      const own = shapes[i]!;
      const apart = () => scoped(gpu, () => own.map(({ shape, dtype }) => empty(gpu, shape, dtype)));
      parameter.parts = together ? together.splice(0, own.length) : apart();
    }
  }

  /** A piece is on its way: what it was staged in is freed once a submission that includes it has run. */
  async #note(bytes: number): Promise<void> {
    this.#options.onBytes?.(bytes);
    this.#staged += bytes;
    if (this.#staged <= STAGING) return this.#gpu.flush();
    await this.#gpu.sync();
    this.#staged = 0;
  }
}

function bytesOf(parts: readonly PartShape[]): number {
  return parts.reduce((sum, { shape, dtype }) => sum + byteLength(dtype, sizeOf(shape)), 0);
}

/**
 * Loads all parameters of `module` from `source`, whose names are the property paths. Names and shapes are checked before
 * anything is read.
 *
 * @throws {InputError} if a tensor is missing, unknown, has another shape or dtype, or is not finite
 */
export async function loadModule(gpu: Gpu, module: Module, options: LoaderOptions): Promise<void> {
  const loader = new Loader(gpu, options);
  loader.check(module);
  await loader.load(module);
}
