import { expect, test } from "vitest";
import { parseByteSize } from "../../../packages/core/memory/byte_size.ts";

test("parseByteSize() takes megabytes and gigabytes", () => {
  expect(["500MB", "7.2 GB", "24gb"].map(parseByteSize)).toEqual([5e8, 7.2e9, 24e9]);
});

test("parseByteSize() takes nothing else", () => {
  for (const text of ["", "24", "GB", "-1GB", "1e3MB", "24 GiB", "0MB", "24GB "]) {
    expect(parseByteSize(text), text).toBeUndefined();
  }
});
