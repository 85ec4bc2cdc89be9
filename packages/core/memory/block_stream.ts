import type { Gpu } from "@fluxsr/kernels";
import type { Part } from "../nn/module.ts";

/** Brings the weights of a part of a network onto the GPU, and off it. */
export interface PartLoader {
  load(part: Part): Promise<void>;
  /** Frees what `load` loaded, which can be loaded again. */
  unload(part: Part): void;
  /** Bytes of what `load` leaves on the GPU. */
  bytesOf(part: Part): number;
}

/** Where the blocks of a network are: those that do not stay are loaded in their turn, `streamedBytes` a pass. */
export interface PlannedBlocks {
  readonly all: number;
  readonly resident: number;
  readonly streamedBytes: number;
}

/** The share of a budget that the GPU may hold beyond it, given back but still in use by work that was submitted. */
const SLACK = 1 / 64;

/** The blocks of a transformer. Those that do not stay on the GPU are loaded when their turn comes, and freed after it. */
export class BlockStream {
  readonly #gpu: Gpu;
  readonly #loader: PartLoader;
  readonly #blocks: readonly Part[];
  readonly #streamed: ReadonlyMap<string, Part>;
  #loadedBytes = 0;

  /** @param options `blocks` in the order of the forward pass, of which the first `resident` stay: who loads them is the caller */
  constructor(
    gpu: Gpu,
    { loader, blocks, resident }: { loader: PartLoader; blocks: readonly Part[]; resident: number },
  ) {
    this.#gpu = gpu;
    this.#loader = loader;
    this.#blocks = blocks;
    this.#streamed = new Map(blocks.slice(resident).map((block) => [block.path, block]));
  }

  /** Bytes of each block on the GPU. */
  get sizes(): number[] {
    return this.#blocks.map((block) => this.#loader.bytesOf(block));
  }

  /** How many blocks stay. */
  get resident(): number {
    return this.#blocks.length - this.#streamed.size;
  }

  /** How many there are, and what a pass loads. */
  get planned(): PlannedBlocks {
    const { sizes, resident } = this;
    const streamedBytes = sizes.slice(resident).reduce((sum, bytes) => sum + bytes, 0);
    return { all: sizes.length, resident, streamedBytes };
  }

  /** Whether all stay. */
  get isWhole(): boolean {
    return this.#streamed.size === 0;
  }

  /** Bytes on the GPU of all that was loaded in its turn so far. */
  get loadedBytes(): number {
    return this.#loadedBytes;
  }

  /** Whether the block at `path` is loaded in its turn. */
  isStreamed(path: string): boolean {
    return this.#streamed.has(path);
  }

  /**
   * Runs `work`, which records what is done with the weights of the block at `path` and keeps no handle on them; any other
   * path needs nothing. While the block is read, the GPU computes what was recorded before.
   */
  async #with(path: string, work: () => void): Promise<void> {
    await this.#settle();
    const block = this.#streamed.get(path);
    if (!block) return work();
    this.#gpu.flush();
    await this.#loader.load(block);
    this.#loadedBytes += this.#loader.bytesOf(block);
    try {
      work();
    } finally {
      // The queue runs in order: the next block may have the memory while this one still computes.
      this.#loader.unload(block);
    }
  }

  /** Waits for the queue if more was given back than a budget may be exceeded by: that is not free before. */
  async #settle(): Promise<void> {
    const { unsettled, budget } = this.#gpu.buffers;
    if (unsettled > budget * SLACK) await this.#gpu.sync();
  }

  /**
   * Runs passes of one network side by side, forwards or backwards; each stops before every block that it needs and gives
   * out its path. A block is loaded once for all of them. To be called in a scope.
   *
   * @param options `signal` ends the work before the next block, with its reason
   * @returns what each pass ended with
   */
  async run<T>(
    passes: readonly Generator<string, T>[],
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<readonly T[]> {
    try {
      let states = passes.map((pass) => pass.next());
      for (let [state] = states; state && !state.done; [state] = states) {
        signal?.throwIfAborted();
        await this.#with(state.value, () => void (states = passes.map((pass) => pass.next())));
      }
      return states.map(({ value }) => value as T);
    } finally {
      for (const pass of passes) pass.return(undefined as T); // frees what it holds where a block cannot be loaded
    }
  }
}
