import { InputError, type Rgb8 } from "@fluxsr/core";
import type { Gpu, Tensor } from "@fluxsr/kernels";
import { randomOf } from "../random.ts";
import type { BatchIndex } from "../stage.ts";
import { crop, type Pictures } from "./pictures.ts";
import { toTensor } from "./pixels.ts";
import { sampleOrder } from "./sample_order.ts";

/** What random crops are made of. */
export interface CropSource {
  readonly gpu: Gpu;
  readonly pictures: Pictures;
  /** Side of the crops in pixels. */
  readonly size: number;
  readonly seed: number;
  readonly batchSize: number;
  /** Batches in a step. */
  readonly parts: number;
}

/** Crops as the networks see them. */
export interface Crops {
  /** The pictures that they are of. */
  readonly names: readonly string[];
  /** [B, size, size, 3] in [-1, 1] */
  readonly x: Tensor;
}

/** The numbers of the crops of the batch at `index`. */
export function drawsOf({ step, part }: BatchIndex, { batchSize, parts }: CropSource): number[] {
  return Array.from({ length: batchSize }, (_, i) => (step * parts + part) * batchSize + i);
}

/** Crops number `draws` of a run: of pictures in random order, each epoch all of them. */
export async function randomCrops(
  { gpu, pictures, size, seed }: CropSource,
  draws: readonly number[],
): Promise<Crops> {
  const of = (draw: number) => pictures.picture(sampleOrder(draw, { count: pictures.count, seed }));
  const whole = await Promise.all(draws.map(of));
  const cut = whole.map((picture, i) => crop(picture, size, randomOf(seed, "crop", draws[i]!)));
  return { names: whole.map(({ name }) => name), x: toTensor(gpu, cut as [Rgb8, ...Rgb8[]]) };
}

/**
 * Checks that crops can be used.
 *
 * @param sides of the crops in pixels, by the key or the thing that says them
 * @param rule the number that they must be multiples of, and where it comes from
 * @throws {InputError} naming the side that is not such a multiple
 */
export function requireCropSides(
  sides: Readonly<Record<string, number>>,
  { multiple, why = "as the network takes them" }: { multiple: number; why?: string },
): void {
  for (const [what, side] of Object.entries(sides)) {
    if (side % multiple === 0) continue;
    throw new InputError(`Cannot train on crops: ${what} must be a multiple of ${multiple}, ${why}: it is ${side}`);
  }
}
