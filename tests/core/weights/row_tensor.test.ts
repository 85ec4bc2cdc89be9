import { expect, it } from "vitest";
import { fromF32, toF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { type RowTensor, sourceRows } from "../../../packages/core/weights/row_tensor.ts";
import { messageOf } from "./_files.ts";
import { memorySource } from "./_memory_source.ts";

async function bytesOf(tensor: RowTensor, begin: number, end: number): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of tensor.rows(begin, end)) bytes.push(...chunk);
  return Uint8Array.from(bytes);
}

it("gives rows as they are stored, or converted", async () => {
  const source = memorySource({
    w: { shape: [3, 5], dtype: "BF16" },
    b: { shape: [3] },
    one: { shape: [], values: [7] },
  });
  const plain = sourceRows(source), wide = sourceRows(source, "F32");
  expect(plain.get("w")).toMatchObject({ dtype: "BF16", shape: [3, 5] });
  const row = Float32Array.of(5, 6, 7, 8, 9);
  expect(await bytesOf(plain.get("w")!, 1, 2)).toEqual(fromF32(row, "BF16"));
  expect(toF32(await bytesOf(wide.get("w")!, 1, 2), "F32")).toEqual(row);
  expect(toF32(await bytesOf(plain.get("b")!, 1, 3), "F32")).toEqual(Float32Array.of(1, 2));
  expect(toF32(await bytesOf(plain.get("one")!, 0, 1), "F32")).toEqual(Float32Array.of(7));
});

it("refuses a value that is not finite, converted or not, by its place in the whole", async () => {
  const source = memorySource({ w: { shape: [3, 2], values: [1, 2, 3, 4, 5, NaN] } });
  for (const rows of [sourceRows(source), sourceRows(source, "BF16")]) {
    expect(await messageOf(bytesOf(rows.get("w")!, 1, 3))).toBe(
      'Cannot load "w" of "memory": weights must be finite: value 5 is NaN',
    );
  }
});

it("refuses a value that the dtype cannot hold", async () => {
  const source = memorySource({ w: { shape: [2], values: [1, 70_000] } });
  expect(await messageOf(bytesOf(sourceRows(source, "F16").get("w")!, 0, 2)))
    .toBe('Cannot load "w" of "memory": weights must be finite: value 1 is Infinity');
});
