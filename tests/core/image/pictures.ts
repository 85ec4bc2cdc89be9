import sharp, { type Sharp } from "sharp";
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { afterAll, expect } from "vitest";
import { InputError } from "../../../packages/core/errors.ts";

/** A folder of the test file's own, removed when its tests are done. */
export const folder = await Deno.makeTempDir({ prefix: "fluxsr-image-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

/** Writes a file into the folder and returns its path. */
export async function save(name: string, bytes: Uint8Array): Promise<string> {
  const path = `${folder}/${name}`;
  await Deno.writeFile(path, bytes);
  return path;
}

/** Reproducible samples over the whole range: 0..255 or 0..65535. */
export function noise(depth: 8 | 16, length: number): Uint8Array | Uint16Array {
  let state = 7;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> (32 - depth);
  return depth === 16 ? Uint16Array.from({ length }, next) : Uint8Array.from({ length }, next);
}

/** A smooth picture that lossy formats keep well: rgb [height, width, 3], 40..215. */
export function gradient(width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rgb.set(
        [40 + (175 * x) / width, 40 + (175 * y) / height, 128 + 40 * Math.sin((x + y) / 20)],
        (y * width + x) * 3,
      );
    }
  }
  return rgb;
}

/** A sharp pipeline over raw samples; without more it loses nothing in PNG and TIFF. */
export function raw(samples: Uint8Array | Uint16Array, width: number, channels: 1 | 2 | 3 | 4): Sharp {
  const height = samples.length / channels / width;
  const [grey, colour] = samples instanceof Uint16Array ? ["grey16", "rgb16"] : ["b-w", "srgb"];
  return sharp(samples, { raw: { width, height, channels } }).toColourspace(channels < 3 ? grey! : colour!);
}

/** The largest difference of two lists of equal length. */
export function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  for (let i = 0; i < actual.length; i++) difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
  return difference;
}

/** A copy of a PNG whose header claims another size; no decoder gets that many pixels out of it. */
export function claimSize(png: Uint8Array, width: number, height: number): Uint8Array {
  const copy = Buffer.from(png);
  copy.writeUInt32BE(width, 16);
  copy.writeUInt32BE(height, 20);
  copy.writeUInt32BE(crc32(copy.subarray(12, 29)), 29);
  return copy;
}

/** The message of the InputError that a promise must be rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => expect.fail("nothing was refused"), (error) => error);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).not.toMatch(/\n|\.$|os error/);
  return error.message;
}
