import { type AdapterSummary, hasEightLanes, hasFewRegisters } from "../gpu/adapter.ts";
import type { ProductShape, Tiling } from "./tuning.ts";

/** The most rows for which reading B is all that counts. */
const FEW = 8;

/** Threads of a workgroup that computes a few rows. */
const FEW_THREADS = 128;

/** Workgroups that fill a large GPU: about two for each of its multiprocessors. */
const FULL = 256;

/** The fewest steps of K that are worth a partial sum. */
const STEPS = 512;

/**
 * The fewest channels, of x and of y, for which transforming takes less than it saves on llvmpipe: a convolution of 32
 * loses an eighth, of 64 wins a quarter, of 512 three fifths; the gradient of a weight of 32 wins a seventh.
 */
const TRANSFORMED_CHANNELS = { conv2d_3x3: 64, conv2d_weight_3x3: 32 } as const;

/** The fewest pixels, 32 tiles, for which the same goes for transforming weights. */
const TRANSFORMED_PIXELS = 512;

/** The most pairs of channels whose 36 numbers have room in a binding of 128 MiB, which is what WebGPU guarantees. */
const TRANSFORMED_PAIRS = 2 ** 27 / (36 * 4);

/** F(4 x 4, 3 x 3): 36 multiply-adds in place of 144. */
const WINOGRAD: Tiling = { by: "winograd", rows: 4, columns: 4, splits: 1 };

/**
 * Steps of K of a transposed A for which a CPU keeps the addresses: each step is a line of memory of its own, in A and in
 * B. 4096 steps in four parts take 0.6 of the time, 1024 in two as long as in one.
 */
const NEAR_STEPS = 1024;

/** The most bytes of partial sums: what a binding has room for on every adapter. */
const SUMS_BYTES = 2 ** 27;

/** As many parts of K as are wanted, if there is room for their sums. */
function partsOfK(wanted: number, { rows, columns, batches }: ProductShape): number {
  return Math.max(1, Math.min(wanted, Math.floor(SUMS_BYTES / (4 * batches * rows * columns))));
}

/** The way that suits `shape` on adapters that were not measured. */
export function tilingByRule(adapter: AdapterSummary, shape: ProductShape): Tiling {
  const { rows, columns, depth, batches, segments = 1 } = shape;
  if (hasEightLanes(adapter)) {
    if (suitsWinograd(shape)) return WINOGRAD;
    const halvings = shape.op === "matmul" && shape.transposeA ? Math.round(Math.log2(depth / NEAR_STEPS)) : 0;
    const parts = partsOfK(2 ** Math.min(4, Math.max(0, halvings)), shape);
    return lanesTiling(shape.transposeA || rows > 16 ? 32 : rows > 8 ? 16 : 8, parts);
  }
  if (suitsFew(shape)) return fewTiling(shape);
  const sized = (side: number) => [hasFewRegisters(adapter) ? side / 2 : side, side] as const;
  const tiles = ([height, width]: readonly [number, number]) =>
    Math.ceil(rows / height) * Math.ceil(columns / width) * batches;
  const [small, large] = [sized(64), sized(128)];
  if (adapter.software) return sharedTiling(small);
  if (tiles(large) >= FULL) return sharedTiling(large);
  const splits = shape.op === "matmul"
    ? Math.min(Math.ceil(FULL / tiles(small)), Math.floor(depth * segments / STEPS))
    : 1;
  return sharedTiling(small, partsOfK(splits, shape));
}

/** All ways that an adapter may be tuned to, for `shape`. */
export function candidateTilings(adapter: AdapterSummary, shape: ProductShape): Tiling[] {
  const { op, depth, transposeA = false } = shape;
  const lanes = hasEightLanes(adapter) ? [8, 16, 32].filter((height) => height === 32 || !transposeA) : [];
  const splits = op === "matmul"
    ? [1, 2, 4, 8, 16].filter((parts) =>
      partsOfK(parts, shape) === parts && (parts === 1 || depth / parts >= STEPS / 4)
    )
    : [1];
  return [
    ...lanes.flatMap((height) => (transposeA ? splits : [1]).map((parts) => lanesTiling(height, parts))),
    ...suitsFew(shape) ? [fewTiling(shape)] : [],
    ...isTransformable(shape) ? [WINOGRAD] : [],
    ...op === "conv2d_narrow"
      ? []
      : [64, 128].flatMap((side) =>
        [side, side / 2].flatMap((rows) => splits.map((parts) => sharedTiling([rows, side], parts)))
      ),
  ];
}

/** Input channels of a 3 x 3 convolution, which are rows of the gradient of its weight, nine times. */
function innerChannels({ op, rows, depth }: ProductShape): number {
  return op === "conv2d_3x3" ? depth : rows / 9;
}

function isTransformable(shape: ProductShape): boolean {
  return shape.op in TRANSFORMED_CHANNELS && innerChannels(shape) * shape.columns <= TRANSFORMED_PAIRS;
}

function suitsWinograd(shape: ProductShape): boolean {
  if (!isTransformable(shape)) return false;
  const { op, rows, columns, depth, segments = 1, batches } = shape;
  const pixels = op === "conv2d_3x3" ? rows : depth * segments * batches;
  const least = TRANSFORMED_CHANNELS[op as keyof typeof TRANSFORMED_CHANNELS];
  return Math.min(innerChannels(shape), columns) >= least && pixels >= TRANSFORMED_PIXELS;
}

function suitsFew({ op, rows }: ProductShape): boolean {
  return rows <= FEW || op === "conv2d_narrow";
}

/** A tile is 32 columns wide; lanes take four rows each of a transposed A, so that it cannot be lower than 32 then. */
function lanesTiling(rows: number, splits = 1): Tiling {
  return { by: "lanes", rows, columns: 32, splits };
}

/** Rows are as many as columns, or half of that: a thread has 8 x 8 or 4 x 8 of them. */
function sharedTiling([rows, columns]: readonly [number, number], splits = 1): Tiling {
  return { by: "shared", rows, columns, splits };
}

/** As many threads along K as have two blocks of four steps each; but 32 columns at least where those are neighbours. */
function fewTiling({ depth, transposeB = false }: ProductShape): Tiling {
  const along = Math.min(
    transposeB ? FEW_THREADS : FEW_THREADS / 8,
    2 ** Math.floor(Math.log2(Math.max(8, depth) / 8)),
  );
  return { by: "few", rows: 4, columns: 4 * FEW_THREADS / along, splits: 1 };
}
