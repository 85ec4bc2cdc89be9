import { describe, expect, test } from "vitest";
import { timeEmbedding } from "../../../packages/core/mmdit/embedder.ts";
import { gridIds, ropeTables } from "../../../packages/core/mmdit/positions.ts";
import { scaledError } from "../../helpers/gpu.ts";
import * as reference from "../../reference/mmdit.ts";

/** The results are f64 rounded to f32. */
const ROUNDING = 1e-7;

test("timeEmbedding() equals the reference, also at thousands of radians", () => {
  const times = [0, 0.25, 1, 4];
  expect(scaledError(timeEmbedding(times), times.flatMap(reference.timeEmbedding))).toBeLessThan(ROUNDING);
});

describe("ropeTables()", () => {
  test("has the angles of each axis in turn", () => {
    const ids = Float32Array.of(0, 3, -2, 1, 0, 4000);
    const { cos, sin, shape } = ropeTables(ids, { batch: 2, axes_dim: [2, 2, 4], theta: 100 });
    expect(shape).toEqual([2, 1, 4]);
    const angles = [0, 3, -2, -2 / 10, 1, 0, 4000, 400];
    expect(scaledError(cos, angles.map(Math.cos))).toBeLessThan(ROUNDING);
    expect(scaledError(sin, angles.map(Math.sin))).toBeLessThan(ROUNDING);
  });
});

test("gridIds() are zeros for the text, then (0, row, column)", () => {
  expect([...gridIds({ tokens: 1, rows: 2, columns: 3 })]).toEqual(
    [[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 0], [0, 1, 1], [0, 1, 2]].flat(),
  );
});
