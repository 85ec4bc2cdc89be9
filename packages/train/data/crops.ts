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

/** Crop number `draw` of a run: of pictures in random order, each epoch all of them. `purpose` keeps draws apart. */
export async function randomCrop(
  { gpu, pictures, size, seed }: Omit<CropSource, "batchSize" | "parts">,
  { draw, purpose }: { draw: number; purpose: string },
): Promise<Crop> {
  const picture = await pictures.picture(sampleOrder(draw, { count: pictures.count, seed }));
  const x = toTensor(gpu, crop(picture, size, randomOf(seed, purpose, draw)));
  return { name: picture.name, x };
}

/** The numbers of the draws that make up the batch at `index`. */
export function drawsOf({ step, part }: BatchIndex, { batchSize, parts }: CropSource): number[] {
  return Array.from({ length: batchSize }, (_, i) => (step * parts + part) * batchSize + i);
}

/** @throws {InputError} if crops of `size` pixels do not fit the network, which takes multiples of `multiple` */
export function requireCropSize(size: number, { multiple, what }: { multiple: number; what: string }): void {
  if (size % multiple === 0) return;
  throw new InputError(
    `Cannot train ${what} on crops: crop must be a multiple of ${multiple}, by which it divides pictures: it is ${size}`,
    { hint: `--crop ${Math.ceil(size / multiple) * multiple} would do.` },
  );
}
