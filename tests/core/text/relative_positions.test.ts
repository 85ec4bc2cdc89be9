import { expect, test } from "vitest";
import { bucketOf, distanceBias } from "../../../packages/core/text/relative_positions.ts";
import { EXPECTED } from "./_golden.ts";

test.each(Object.entries(EXPECTED["buckets_of_-300_to_300"]))("buckets are transformers': %s", (sizes, expected) => {
  const [count = 0, maxDistance = 0] = sizes.split(" ").map(Number);
  expect(expected.map((_, i) => bucketOf(i - 300, { count, maxDistance }))).toEqual(expected);
});

test("distanceBias() has a row for each head, from the key that is farthest before", () => {
  const buckets = { count: 4, maxDistance: 8 };
  const learned = Float32Array.from({ length: 8 }, (_, i) => i);
  const bias = distanceBias(learned, { heads: 2, tokens: 3, buckets });
  const of = (distance: number, head: number) => 2 * bucketOf(distance, buckets) + head;
  expect([...bias]).toEqual([0, 1].flatMap((head) => [-2, -1, 0, 1, 2].map((distance) => of(distance, head))));
  expect(of(1, 0)).not.toBe(of(-1, 0));
});
