/** The place of one tile along one axis, and how much it counts there. */
export interface TileSpan {
  /** First pixel in the picture; negative in the border before it. */
  readonly start: number;
  /** Length in pixels, a multiple of the plan's `multiple`. */
  readonly size: number;
  /** [size], 0..1; over all spans of the axis they add up to exactly 1 at every pixel of the picture. */
  readonly weights: Float32Array;
}

/** A grid of equal, overlapping tiles that covers a picture. */
export interface TilePlan {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly TileSpan[];
  readonly rows: readonly TileSpan[];
  /** Row by row, each from left to right. */
  readonly tiles: readonly { x: number; y: number; column: number; row: number }[];
}

/** Options of {@linkcode planTiles}; all lengths in pixels. */
export interface TileOptions {
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Least overlap of neighbours. */
  readonly overlap: number;
  /** Every tile side and start is a multiple of this: the network's own grid lies the same in all tiles. */
  readonly multiple: number;
  /** How far from a border shared with a neighbour a tile does not count at all (default min(16, overlap / 4)). */
  readonly margin?: number;
  /** Pixels beyond each edge of the picture that tiles cover too (default 0): what a network spoils at edges is cut off. */
  readonly border?: number;
}

/**
 * Weights are multiples of 2^-12: differences of them are exact, and so is a product of two (column times row) in f32,
 * hence the weights of all tiles add up to exactly 1 in the plane too.
 */
const WEIGHT_STEPS = 2 ** 12;

/**
 * Covers a picture with overlapping tiles, evenly spread.
 *
 * Along an axis that fits into one tile with its border there is one, of that size rounded up to `multiple`; what lies beyond
 * the picture is padding. Otherwise every tile has the full tile size; the last one may also reach beyond the picture.
 *
 * @throws {RangeError} if a length is no integer in its range, a tile side no multiple of `multiple`, or the overlap is
 * half a tile side or more
 */
export function planTiles({ width, height }: { width: number; height: number }, options: TileOptions): TilePlan {
  const { tileWidth, tileHeight, overlap, multiple, border = 0 } = options;
  const margin = options.margin ?? Math.min(16, Math.floor(overlap / 4));
  const check = (rule: string, value: number, valid: boolean) => {
    if (!Number.isInteger(value) || !valid) throw new RangeError(`Cannot plan tiles: ${rule}: it is ${value}`);
  };
  check("width must be an integer >= 1", width, width >= 1);
  check("height must be an integer >= 1", height, height >= 1);
  check("multiple must be an integer >= 1", multiple, multiple >= 1);
  check("border must be an integer >= 0", border, border >= 0);
  for (const side of [tileWidth, tileHeight]) {
    check(`tile side must be a positive multiple of ${multiple}`, side, side >= 1 && side % multiple === 0);
    check(`overlap must be >= 0 and below half the tile side ${side}`, overlap, overlap >= 0 && overlap < side / 2);
    const room = overlap <= side - multiple;
    check(`overlap must leave ${multiple} pixels of a tile side of ${side} free`, overlap, room);
  }
  check(`margin must be >= 0 and at most half the overlap ${overlap}`, margin, margin >= 0 && margin <= overlap / 2);

  const columns = planAxis(width, { tile: tileWidth, overlap, multiple, margin, border });
  const rows = planAxis(height, { tile: tileHeight, overlap, multiple, margin, border });
  const tiles = rows.flatMap(({ start: y }, row) => columns.map(({ start: x }, column) => ({ x, y, column, row })));
  return { width, height, columns, rows, tiles };
}

function planAxis(
  inner: number,
  { tile, overlap, multiple, margin, border }: Required<Omit<TileOptions, "tileWidth" | "tileHeight">> & {
    tile: number;
  },
): TileSpan[] {
  const length = inner + 2 * border;
  if (length <= tile) {
    const size = Math.ceil(length / multiple) * multiple;
    return [{ start: 0 - border, size, weights: new Float32Array(size).fill(1) }];
  }
  // Starts lie on the grid of `multiple`, so steps are whole multiples too.
  const spare = Math.ceil((length - tile) / multiple);
  const count = Math.ceil(spare / Math.floor((tile - overlap) / multiple)) + 1;
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * spare) / (count - 1)) * multiple);
  // Tile i fades out where tile i + 1 fades in: in the middle of what they share.
  const seams = starts.slice(1).map((start, i) => (starts[i]! + tile + start) / 2);
  const ramp = overlap - 2 * margin;
  return starts.map((start, i) => {
    const weights = Float32Array.from({ length: tile }, (_, x) => {
      const fadedIn = i === 0 ? 1 : fade(start + x, { seam: seams[i - 1]!, ramp });
      const fadedOut = i === count - 1 ? 0 : fade(start + x, { seam: seams[i]!, ramp });
      return fadedIn - fadedOut;
    });
    return { start: start - border, size: tile, weights };
  });
}

/** Raised cosine from 0 to 1 over `ramp` pixels around `seam`, at the centre of pixel x, in whole weight steps. */
function fade(x: number, { seam, ramp }: { seam: number; ramp: number }): number {
  const phase = Math.min(1, Math.max(0, (x + 0.5 - seam) / Math.max(ramp, 1e-3) + 0.5));
  return Math.round((WEIGHT_STEPS * (1 - Math.cos(Math.PI * phase))) / 2) / WEIGHT_STEPS;
}
