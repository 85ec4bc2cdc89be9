import { read, type Tensor } from "@fluxsr/kernels";
import type { Values } from "./case.ts";

/** Keeps the values that a network shows while it runs, and reads them all in one wait. */
export class Recorder implements Disposable {
  readonly #tensors = new Map<string, Tensor>();

  /** To be given to a network; also for its results. */
  readonly observe = (name: string, value: Tensor): void => {
    this.#tensors.get(name)?.release();
    this.#tensors.set(name, value.retain());
  };

  async read(): Promise<Map<string, Values>> {
    const parts = await read(...this.#tensors.values());
    return new Map(
      [...this.#tensors].map(([name, { shape }], i) => [name, { shape, values: parts[i] ?? new Float32Array() }]),
    );
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#tensors.values()) tensor.release();
    this.#tensors.clear();
  }
}
