import { expect, test } from "vitest";
import { uprightExif } from "../../../packages/core/image/_exif.ts";

// Byte order, 42, first directory at 8; one entry: orientation, short, 1 value: 6; no further directory.
const LITTLE = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
const BIG = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
const PREFIX = [0x45, 0x78, 0x69, 0x66, 0, 0];

test("uprightExif() sets the orientation to 1 in either byte order, prefixed or not", () => {
  for (const [block, at] of [[LITTLE, 18], [BIG, 19]] as const) {
    const expected = block.with(at, 1);
    expect([...uprightExif(Uint8Array.from(block))!]).toEqual(expected);
    expect([...uprightExif(Uint8Array.from([...PREFIX, ...block]))!]).toEqual(expected);
  }
});

test("uprightExif() leaves its argument and other entries as they are", () => {
  const model = Uint8Array.from(LITTLE.with(10, 0x10));
  expect(uprightExif(model)).toEqual(model);
  const block = Uint8Array.from(LITTLE);
  uprightExif(block);
  expect([...block]).toEqual(LITTLE);
});

test("uprightExif() drops a damaged block", () => {
  for (const block of [[], [1, 2, 3, 4], LITTLE.slice(0, 16), LITTLE.with(5, 0xff)]) {
    expect(uprightExif(Uint8Array.from(block))).toBeUndefined();
  }
});
