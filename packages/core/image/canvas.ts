import { InputError } from "../errors.ts";
import type { Picture } from "./picture.ts";
import type { TilePlan } from "./tiles.ts";

/** Three numbers, for red, green and blue. */
export type PerChannel = readonly [number, number, number];

/** Blends the tiles of a plan into one picture in host memory, f32 [height, width, 3] with values around 0..1. */
export class Canvas {
  readonly #plan: TilePlan;
  readonly #sum: Float32Array;

  /**
   * @param options.maxBytes How much memory the picture may take, at 12 bytes a pixel
   * @throws {InputError} if it takes more, or the system refuses to give it
   */
  constructor(plan: TilePlan, { maxBytes }: { maxBytes: number }) {
    const { width, height } = plan;
    const bytes = width * height * 3 * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > maxBytes) throw tooLarge(plan, `needs ${bytes} bytes of memory, allowed are ${maxBytes}`);
    this.#plan = plan;
    try {
      this.#sum = new Float32Array(width * height * 3);
    } catch (cause) {
      throw tooLarge(plan, `needs ${bytes} bytes of memory, and the system does not give them`, cause);
    }
  }

  /**
   * Adds the tile at a column and row of the plan, weighted; the part beyond the picture is cropped.
   *
   * @param tile [rows[row].size, columns[column].size, 3], values around 0..1
   * @throws {InputError} if the tile contains NaN or infinity
   */
  add(tile: Float32Array, column: number, row: number): void {
    const { width, height, columns, rows } = this.#plan;
    const across = columns[column];
    const down = rows[row];
    if (!across || !down) throw new RangeError(`Cannot add tile: no column ${column}, row ${row} in the plan`);
    if (tile.length !== across.size * down.size * 3) {
      throw new RangeError(
        `Cannot add tile: it must be [${down.size}, ${across.size}, 3]: it has ${tile.length} values`,
      );
    }
    checkFinite(tile, column, row);
    const left = Math.max(0, -across.start);
    const right = Math.min(across.size, width - across.start);
    const bottom = Math.min(down.size, height - down.start);
    for (let y = Math.max(0, -down.start); y < bottom; y++) {
      let from = (y * across.size + left) * 3;
      let to = ((down.start + y) * width + across.start + left) * 3;
      for (let x = left; x < right; x++) {
        const weight = across.weights[x]! * down.weights[y]!;
        for (let c = 0; c < 3; c++) this.#sum[to++]! += weight * tile[from++]!;
      }
    }
  }

  /** Mean and (population) standard deviation of each channel, in f64. */
  meanStd(): { mean: PerChannel; std: PerChannel } {
    const pixels = this.#sum.length / 3;
    const sum = [0, 0, 0];
    const squares = [0, 0, 0];
    for (let i = 0; i < this.#sum.length; i++) {
      const value = this.#sum[i]!;
      sum[i % 3]! += value;
      squares[i % 3]! += value * value;
    }
    const mean = sum.map((s) => s / pixels) as unknown as PerChannel;
    const std = squares.map((s, c) => Math.sqrt(Math.max(0, s / pixels - mean[c]! ** 2))) as unknown as PerChannel;
    return { mean, std };
  }

  /**
   * The picture as integers [height, width, 3]: `value * gain + offset` per channel, of a `grey` picture the mean of the
   * three in each of them, clamped to 0..1, times 255 or 65535, rounded to the nearest.
   */
  finish(
    { depth, grey }: Pick<Picture, "depth" | "grey">,
    { gain = [1, 1, 1], offset = [0, 0, 0] }: { gain?: PerChannel; offset?: PerChannel } = {},
  ): Uint8Array | Uint16Array {
    const { length } = this.#sum;
    const rgb = depth === 16 ? new Uint16Array(length) : new Uint8Array(length);
    const max = 2 ** depth - 1;
    const valueOf = (i: number) => this.#sum[i]! * gain[i % 3]! + offset[i % 3]!;
    for (let i = 0; i < length; i++) {
      const red = i - i % 3;
      const value = grey ? (valueOf(red) + valueOf(red + 1) + valueOf(red + 2)) / 3 : valueOf(i);
      rgb[i] = Math.floor(Math.min(1, Math.max(0, value)) * max + 0.5);
    }
    return rgb;
  }
}

function tooLarge({ width, height }: TilePlan, state: string, cause?: unknown): InputError {
  const hint = "Use a smaller --scale, or cut the picture into parts.";
  return new InputError(`Cannot hold the result in memory: ${width} x ${height} pixels: it ${state}`, { hint, cause });
}

function checkFinite(tile: Float32Array, column: number, row: number): void {
  for (let i = 0; i < tile.length; i++) {
    const value = tile[i]!;
    if (Number.isFinite(value)) continue;
    throw new InputError(`Cannot use the tile in column ${column}, row ${row}: the network returned ${value}`, {
      hint: "Try --precision f32, and check that the model's weights are complete.",
    });
  }
}
