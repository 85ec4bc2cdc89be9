import type { Gpu } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Loader, type LoaderOptions } from "../nn/load.ts";
import type { Module, Part } from "../nn/module.ts";
import type { LoraAdapter } from "./adapter.ts";
import { attachLora, mergeLora } from "./apply.ts";

/** Options of an {@linkcode AdaptedLoader}. */
export interface AdaptedLoaderOptions extends LoaderOptions {
  /** By the names of the network's linear layers. */
  readonly adapters: ReadonlyMap<string, LoraAdapter>;
}

/** Loads a network with its LoRA a part at a time: merged into f32 weights, applied on the fly otherwise. */
export class AdaptedLoader {
  readonly #gpu: Gpu;
  readonly #loader: Loader;
  readonly #options: AdaptedLoaderOptions;

  constructor(gpu: Gpu, options: AdaptedLoaderOptions) {
    this.#gpu = gpu;
    this.#loader = new Loader(gpu, options);
    this.#options = options;
  }

  /** As {@linkcode Loader.check}. */
  check(network: Module): void {
    this.#loader.check(network);
  }

  /** As {@linkcode Loader.load}. */
  async load(part: Part): Promise<void> {
    await this.#loader.load(part.module, part.path);
    try {
      this.#adapt(part);
    } catch (error) {
      this.unload(part);
      throw error;
    }
  }

  /** Frees what {@linkcode load} loaded, which can be loaded again; adapters that others attached stay. */
  unload(part: Part): void {
    for (const [, parameter] of part.module.parameters()) parameter.dispose();
    for (const { layer } of this.#adapted(part)) layer.adapter = undefined;
  }

  /** Bytes of what {@linkcode load} leaves on the GPU. */
  bytesOf(part: Part): number {
    const factors = this.#options.precision === "f32" ? [] : this.#adapted(part);
    return factors.reduce(
      (sum, { adapter: { rank, in: inner, out } }) => sum + 4 * rank * (inner + out),
      this.#loader.bytesOf(part.module, part.path),
    );
  }

  #adapt(part: Part): void {
    const adapted = this.#adapted(part);
    if (adapted.length === 0) return; // adapters that are trained are not this loader's to merge
    attachLora(this.#gpu, part.module, new Map(adapted.map(({ below, adapter }) => [below, adapter])));
    if (this.#options.precision === "f32") mergeLora(part.module);
  }

  /** The layers of a part that it needs and that have an adapter, with their paths below it. */
  #adapted({ path, module }: Part): { below: string; layer: Linear; adapter: LoraAdapter }[] {
    return [...module.modules(path)].flatMap(([name, layer]) => {
      const adapter = this.#options.adapters.get(name);
      const below = name === path ? "" : name.slice(path.length + 1);
      return adapter && layer instanceof Linear && layer.weight.isNeeded ? [{ below, layer, adapter }] : [];
    });
  }
}
