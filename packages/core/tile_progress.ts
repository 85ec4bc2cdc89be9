import type { Gpu } from "@fluxsr/kernels";

/** Counts finished tiles: each passes the encoder, the transformer and the decoder. */
export class TileProgress {
  readonly #tiles: number;
  readonly #report: (done: number, total: number) => void;
  #steps = 0;

  constructor(tiles: number, report: (done: number, total: number) => void) {
    this.#tiles = tiles;
    this.#report = report;
    report(0, tiles);
  }

  /** Notes that `count` networks have run; given a `gpu` it waits for them, which is not worth it for a single tile. */
  async step(count = 1, gpu?: Gpu): Promise<void> {
    if (gpu && this.#tiles > 1) await gpu.sync();
    for (let i = 0; i < count; i++) {
      if (++this.#steps % 3 === 0) this.#report(this.#steps / 3, this.#tiles);
    }
  }
}
