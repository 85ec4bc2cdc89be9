import type { Part } from "./nn/module.ts";

/** Brings the weights of a part of a network onto the GPU, and off it. */
export interface PartLoader {
  load(part: Part): Promise<void>;
  /** Frees what `load` loaded, which can be loaded again. */
  unload(part: Part): void;
}

/** The blocks of a transformer that does not fit on the GPU: each is loaded when its turn comes, and freed after it. */
export class BlockStream {
  readonly #loader: PartLoader;
  readonly #streamed: ReadonlySet<string>;

  /** @param options `streamed` are the paths of the blocks */
  constructor(loader: PartLoader, { streamed }: { streamed: ReadonlySet<string> }) {
    this.#loader = loader;
    this.#streamed = streamed;
  }

  /** Runs `work`, which submits what it does with the weights of `block`. */
  async with(block: Part, work: () => void): Promise<void> {
    if (!this.#streamed.has(block.path)) return work();
    await this.#loader.load(block);
    try {
      work();
    } finally {
      // The queue runs in order: the next block may have the memory while this one still computes.
      this.#loader.unload(block);
    }
  }
}
