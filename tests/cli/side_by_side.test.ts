import { expect, test } from "vitest";
import { sideBySide } from "../../packages/cli/_side_by_side.ts";
import { plainPicture } from "./_fakes.ts";

test("sideBySide() puts every row of the first left of that of the second", () => {
  const left = { ...plainPicture(1, 2), rgb: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const right = { ...plainPicture(1, 2), rgb: Uint8Array.of(7, 8, 9, 10, 11, 12) };
  const both = sideBySide(left, right);
  expect([both.width, both.height]).toEqual([2, 2]);
  expect([...both.rgb]).toEqual([1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12]);
  expect(both.alpha).toBeUndefined();
});

test("sideBySide() keeps 16 bits and alpha", () => {
  const picture = {
    ...plainPicture(1, 1),
    depth: 16 as const,
    rgb: Uint16Array.of(1000, 2000, 3000),
    alpha: Uint16Array.of(60000),
  };
  const both = sideBySide(picture, picture);
  expect(both.rgb).toEqual(Uint16Array.of(1000, 2000, 3000, 1000, 2000, 3000));
  expect(both.alpha).toEqual(Uint16Array.of(60000, 60000));
});

test("sideBySide() refuses pictures of different height", () => {
  expect(() => sideBySide(plainPicture(1, 1), plainPicture(1, 2))).toThrow("height and depth must be the same");
});
