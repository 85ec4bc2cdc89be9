import { expect, test } from "vitest";
import { colorDifference } from "../../../packages/core/metrics/color_difference.ts";
import { painted } from "./_picture.ts";

test("colorDifference() is the largest difference of the channels' means, whatever the sizes", () => {
  const plain = painted(3, 5, (_x, _y, channel) => [10, 20, 30][channel]!);
  expect(colorDifference(plain, painted(7, 2, (_x, _y, channel) => [11, 17.4, 30][channel]!))).toBe(3);
  // Alternating columns: the mean of the green channel is 20 again.
  const striped = painted(4, 3, (x, _y, channel) => [10, 20 + (x % 2 === 0 ? 9 : -9), 30.6][channel]!);
  expect(colorDifference(plain, striped)).toBe(1);
  expect(colorDifference(plain, plain)).toBe(0);
});
