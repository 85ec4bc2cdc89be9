import { InputError } from "@fluxsr/core";
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

/** A crop as the networks see it. */
export interface Crop {
  /** The picture that it is of. */
  readonly name: string;
  /** [1, size, size, 3] in [-1, 1] */
  readonly x: Tensor;
}

/** The numbers of the crops of the batch at `index`. */
export function drawsOf({ step, part }: BatchIndex, { batchSize, parts }: CropSource): number[] {
  return Array.from({ length: batchSize }, (_, i) => (step * parts + part) * batchSize + i);
}

/** Crop number `draw` of a run: of pictures in random order, each epoch all of them. */
export async function randomCrop({ gpu, pictures, size, seed }: CropSource, draw: number): Promise<Crop> {
  const picture = await pictures.picture(sampleOrder(draw, { count: pictures.count, seed }));
  return { name: picture.name, x: toTensor(gpu, crop(picture, size, randomOf(seed, "crop", draw))) };
}

/**
 * Checks that crops fit a network, which takes multiples of `multiple` pixels.
 *
 * @param config `crop` are the sides of training's, `validate_size` of validation's crops
 * @throws {InputError} naming the key that is not such a multiple
 */
export function requireCropSizes(
  { crop, validate_size }: { crop: number; validate_size: number },
  multiple: number,
): void {
  for (const [key, size] of Object.entries({ crop, validate_size })) {
    if (size % multiple === 0) continue;
    throw new InputError(
      `Cannot train on crops: ${key} must be a multiple of ${multiple}, as the network takes them: it is ${size}`,
    );
  }
}
