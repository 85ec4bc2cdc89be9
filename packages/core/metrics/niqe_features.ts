import gamma from "@stdlib/math-base-special-gamma";
import { type Aggd, fitAggd } from "./niqe_aggd.ts";
import { halved, smoothed } from "./niqe_filters.ts";
import type { Rgb8 } from "../image/rgb8.ts";
import { lumaPlane, type MetricOptions, type Plane } from "./planes.ts";

/** Side of a block at the picture's own size. */
const BLOCK = 96;

/** Rows and columns between the pixels whose products are modelled. */
const SHIFTS = [[0, 1], [1, 0], [1, 1], [1, -1]] as const;

/**
 * The 36 features of every whole block of 96 x 96, column of blocks by column: 18 at the picture's size, then 18 at half
 * of it. A block without contrast has NaN.
 * Y is rounded to integers, as in the pictures that the pristine statistics are from.
 *
 * @returns [blocks][36]
 */
export function niqeFeatures(image: Rgb8, options: Pick<MetricOptions, "cropBorder">): Float64Array[] {
  const y = lumaPlane(image, options);
  const blocks = { rows: Math.floor(y.height / BLOCK), columns: Math.floor(y.width / BLOCK) };
  if (blocks.rows * blocks.columns === 0) return [];
  const whole = roundedCorner(y, { width: blocks.columns * BLOCK, height: blocks.rows * BLOCK });
  const scales = [whole, halved(whole)].map((plane) => {
    const normalised = locallyNormalised(plane);
    const size = plane.width / blocks.columns;
    return Array.from({ length: blocks.columns * blocks.rows }, (_, i) => {
      const corner = { x: Math.floor(i / blocks.rows) * size, y: (i % blocks.rows) * size };
      return blockFeatures(blockAt(normalised, corner, size), size);
    });
  });
  return scales[0]!.map((features, block) => Float64Array.from([...features, ...scales[1]![block]!]));
}

/** The upper left corner, rounded to integers. */
function roundedCorner({ width: across, values }: Plane, { width, height }: { width: number; height: number }): Plane {
  const corner = Float64Array.from(
    { length: width * height },
    (_, i) => Math.round(values[Math.floor(i / width) * across + i % width]!),
  );
  return { width, height, values: corner };
}

/** `(I - mu) / (sigma + 1)` with Gaussian local mean mu and deviation `sigma = sqrt(|E[I^2] - mu^2|)`, Eq. 1-3. */
function locallyNormalised(plane: Plane): Plane {
  const mean = smoothed(plane).values;
  const meanSquare = smoothed({ ...plane, values: plane.values.map((value) => value ** 2) }).values;
  const values = plane.values.map((value, i) =>
    (value - mean[i]!) / (Math.sqrt(Math.abs(meanSquare[i]! - mean[i]! ** 2)) + 1)
  );
  return { ...plane, values };
}

function blockAt({ width, values }: Plane, { x, y }: { x: number; y: number }, size: number): Float64Array {
  const block = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const start = (y + row) * width + x;
    block.set(values.subarray(start, start + size), row * size);
  }
  return block;
}

/** Fits to the normalised values, then to the products of neighbours. @param block [size, size] */
function blockFeatures(block: Float64Array, size: number): number[] {
  const { alpha, left, right } = fitAggd(block);
  const products = SHIFTS.map((shift) => fitAggd(timesShifted(block, size, shift)));
  return [alpha, (left + right) / 2, ...products.flatMap((fit) => [fit.alpha, meanOf(fit), fit.left, fit.right])];
}

/** `x[row, column] x[row - down, column - right]`, around the block's edges. */
function timesShifted(block: Float64Array, size: number, [down, right]: readonly [number, number]): Float64Array {
  return block.map((value, i) => {
    const row = (Math.floor(i / size) - down + size) % size;
    const column = (i % size - right + size) % size;
    return value * block[row * size + column]!;
  });
}

/** Of the fitted distribution, Eq. 8. */
function meanOf({ alpha, left, right }: Aggd): number {
  return (right - left) * gamma(2 / alpha) / gamma(1 / alpha);
}
