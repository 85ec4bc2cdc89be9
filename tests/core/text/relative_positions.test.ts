import { expect, test } from "vitest";
import { bucketOf, positionBias } from "../../../packages/core/text/relative_positions.ts";
import { EXPECTED } from "./_golden.ts";

test.each(Object.entries(EXPECTED["buckets_of_-300_to_300"]))("buckets are transformers': %s", (sizes, expected) => {
  const [count = 0, maxDistance = 0] = sizes.split(" ").map(Number);
  expect(expected.map((_, i) => bucketOf(i - 300, { count, maxDistance }))).toEqual(expected);
});

test("positionBias() has a table for each head, queries before keys", () => {
  const buckets = { count: 4, maxDistance: 8 };
  const learned = Float32Array.from({ length: 8 }, (_, i) => i);
  const bias = positionBias(learned, { heads: 2, tokens: 3, buckets });
  const of = (distance: number, head: number) => 2 * bucketOf(distance, buckets) + head;
  const table = (head: number) => [0, 1, 2].flatMap((query) => [0, 1, 2].map((key) => of(key - query, head)));
  expect([...bias]).toEqual([...table(0), ...table(1)]);
  expect(of(1, 0)).not.toBe(of(-1, 0));
});
