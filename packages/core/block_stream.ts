import type { AdaptedLoader } from "./lora/adapted_loader.ts";
import type { Part } from "./mmdit/mmdit.ts";

/** The blocks of a transformer that does not fit on the GPU: each is loaded when its turn comes, and freed after it. */
export class BlockStream {
  readonly #loader: AdaptedLoader;
  readonly #streamed: ReadonlySet<string>;

  /** @param options `streamed` are the paths of the blocks */
  constructor(loader: AdaptedLoader, { streamed }: { streamed: ReadonlySet<string> }) {
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
