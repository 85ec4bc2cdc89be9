import {
  add,
  concat,
  groupNorm,
  groupNormApply,
  groupNormStats,
  multiply,
  scale,
  scoped,
  split,
  subtract,
  type Tensor,
} from "@fluxsr/kernels";
import { Module, Parameter } from "./module.ts";

/** One picture in equal, overlapping parts, each [B, h, w, C]; a whole picture is a single tile. */
export type Tiles = readonly Tensor[];

/** Group norm with affine, eps 1e-6 as in FLUX's autoencoder, and optionally SiLU after it. */
export class GroupNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #groups: number;
  #statistics: Tensor | undefined;
  #measured: ((stats: Tensor) => void) | undefined;

  constructor(groups: number, channels: number) {
    super();
    this.weight = new Parameter([channels]);
    this.bias = new Parameter([channels]);
    this.#groups = groups;
  }

  /** Mean and variance [B, 2, groups] to normalise with, taken over; undefined: those of the tiles that are given. */
  set statistics(stats: Tensor | undefined) {
    this.#statistics?.dispose();
    this.#statistics = stats;
  }

  /**
   * The statistics of all `tiles` where they come to this norm; `run` takes one of them there. This norm then gives out no
   * tiles, so that what comes after it has nothing to do.
   */
  measure(tiles: Tiles, run: (tile: Tensor) => void): Tensor {
    const parts: Tensor[] = [];
    this.#measured = (stats) => parts.push(stats.retain());
    try {
      for (const tile of tiles) run(tile);
      return scoped(tiles[0]!.gpu, () => pooled(parts));
    } finally {
      this.#measured = undefined;
      for (const part of parts) part.release();
    }
  }

  /**
   * Normalises all tiles with the statistics of all of them, so that tiling does not change the picture, and hands each
   * to `then`; the normalised tile is freed after it. Returns what `then` returned.
   */
  forward(tiles: Tiles, { silu }: { silu: boolean }, then: (x: Tensor, index: number) => Tensor): Tiles {
    const affine = { weight: this.weight.tensor, bias: this.bias.tensor, silu };
    const groups = this.#groups;
    const [first] = tiles;
    if (!first) return [];
    if (this.#measured) {
      this.#measured(scoped(first.gpu, () => groupNormStats(first, { groups })));
      return [];
    }
    const given = this.#statistics;
    if (given) {
      return tiles.map((tile, i) => scoped(tile.gpu, () => then(groupNormApply(tile, { ...affine, stats: given }), i)));
    }
    if (tiles.length === 1) return [scoped(first.gpu, () => then(groupNorm(first, { ...affine, groups }), 0))];
    using stats = scoped(first.gpu, () => pooled(tiles.map((tile) => groupNormStats(tile, { groups }))));
    return tiles.map((tile, i) => scoped(tile.gpu, () => then(groupNormApply(tile, { ...affine, stats }), i)));
  }
}

/** Mean and variance [B, 2, groups] of equally large parts, of each of which they are given. */
function pooled(parts: readonly Tensor[]): Tensor {
  const rows = parts.map((part) => split(part, 1, [1, 1]));
  const [means, variances] = [rows.map(([mean]) => mean!), rows.map(([, variance]) => variance!)];
  const average = (values: readonly Tensor[]) =>
    scale(values.reduce((sum, value) => add(sum, value)), 1 / values.length);
  const mean = average(means);
  const squares = means.map((own) => {
    const deviation = subtract(own, mean);
    return multiply(deviation, deviation);
  });
  return concat([mean, add(average(variances), average(squares))], 1);
}
