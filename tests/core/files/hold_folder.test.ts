import { expect, test } from "vitest";
import { holdFolder } from "../../../packages/core/files/hold_folder.ts";

test("holdFolder() keeps others out until it is disposed of, and leaves nothing", async () => {
  const folder = await Deno.makeTempDir();
  const names = () => Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  try {
    {
      using _held = await holdFolder(folder);
      await expect(holdFolder(folder)).rejects.toThrow(
        `Cannot write to "${folder}": one process at a time may: another does`,
      );
      expect(await names()).toEqual([".lock"]);
    }
    expect(await names()).toEqual([]);
    using _again = await holdFolder(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("holdFolder() may be disposed of after the folder is gone", async () => {
  const folder = await Deno.makeTempDir();
  const held = await holdFolder(folder);
  await Deno.remove(folder, { recursive: true });
  expect(() => held[Symbol.dispose]()).not.toThrow();
});

test("holdFolder() refuses what is no folder, in words", async () => {
  const file = await Deno.makeTempFile();
  await expect(holdFolder(file)).rejects.toThrow(
    `Cannot write to "${file}": it must be a folder that can be written: `,
  );
  await Deno.remove(file);
});
