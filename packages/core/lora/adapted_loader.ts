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

  /** Frees what {@linkcode load} loaded, which can be loaded again. */
  unload({ module }: Part): void {
    for (const [, parameter] of module.parameters()) parameter.dispose();
    for (const [, layer] of module.modules()) if (layer instanceof Linear) layer.adapter = undefined;
  }

  #adapt({ path, module }: Part): void {
    const { adapters, precision } = this.#options;
    const needed = [...module.modules(path)].flatMap(([name, layer]) => {
      const adapter = adapters.get(name);
      const below = name === path ? "" : name.slice(path.length + 1);
      return adapter && layer instanceof Linear && layer.weight.isNeeded ? [[below, adapter] as const] : [];
    });
    attachLora(this.#gpu, module, new Map(needed));
    if (precision === "f32") mergeLora(module);
  }
}
