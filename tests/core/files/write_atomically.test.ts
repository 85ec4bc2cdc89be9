import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAtomically } from "../../../packages/core/files/write_atomically.ts";
import { refusal } from "../image/pictures.ts";

const BYTES = new TextEncoder().encode("new");

let folder = "";
beforeEach(async () => void (folder = await Deno.makeTempDir({ prefix: "fluxsr-write-" })));
afterEach(() => Deno.remove(folder, { recursive: true }));

/** Everything in the folder: name -> text. */
function files(): Record<string, string> {
  return Object.fromEntries([...Deno.readDirSync(folder)].map(({ name }) => [
    name,
    Deno.readTextFileSync(`${folder}/${name}`),
  ]));
}

/** Writes a part of the file, then gets a real "no space left" from the kernel. */
async function writeToFullDisk(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes.subarray(0, 1));
  await Deno.writeFile("/dev/full", bytes);
}

test("writeAtomically() writes a new file and leaves nothing else", async () => {
  await writeAtomically(`${folder}/a`, BYTES, { overwrite: false });
  await writeAtomically(`${folder}/b`, BYTES, { overwrite: true });
  expect(files()).toEqual({ a: "new", b: "new" });
});

test("writeAtomically() replaces a file with overwrite, and refuses without", async () => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  expect(await refusal(writeAtomically(`${folder}/a`, BYTES, { overwrite: false }))).toContain("must not exist yet");
  expect(files()).toEqual({ a: "old" });
  await writeAtomically(`${folder}/a`, BYTES, { overwrite: true });
  expect(files()).toEqual({ a: "new" });
});

test("writeAtomically() does not replace a file that appears while it writes", async () => {
  const noHardLinks = () => Promise.reject(new Error("Operation not permitted (os error 1)"));
  for (const link of [Deno.link, noHardLinks]) {
    const write = async (path: string, bytes: Uint8Array) => {
      await Deno.writeFile(path, bytes);
      await Deno.writeTextFile(`${folder}/a`, "someone else's");
    };
    const message = await refusal(writeAtomically(`${folder}/a`, BYTES, { overwrite: false, write, link }));
    expect(message).toContain("must not exist yet");
    expect(files()).toEqual({ a: "someone else's" });
  }
});

test("writeAtomically() works where there are no hard links", async () => {
  const link = () => Promise.reject(new Error("Operation not permitted (os error 1)"));
  await writeAtomically(`${folder}/a`, BYTES, { overwrite: false, link });
  expect(files()).toEqual({ a: "new" });
});

test("writeAtomically() leaves no empty file where the new name cannot be given", async () => {
  const link = async (temporary: string) => {
    await Deno.remove(temporary);
    throw new Error("Operation not permitted (os error 1)");
  };
  const message = await refusal(writeAtomically(`${folder}/a`, BYTES, { overwrite: false, link }));
  expect(message).toContain("its folder must be writable: No such file");
  expect(files()).toEqual({});
});

test("writeAtomically() keeps the earlier file when the disk is full, and cleans up", async () => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  const promise = writeAtomically(`${folder}/a`, BYTES, { overwrite: true, write: writeToFullDisk });
  expect(await refusal(promise)).toContain("the disk must have room for 3 bytes: it is full");
  expect(files()).toEqual({ a: "old" });
});

test("writeAtomically() leaves nothing when the disk is full and there was no file", async () => {
  const promise = writeAtomically(`${folder}/a`, BYTES, { overwrite: false, write: writeToFullDisk });
  expect(await refusal(promise)).toContain("it is full");
  expect(files()).toEqual({});
});

test("writeAtomically() refuses a folder that is missing, a file, or not writable", async () => {
  await Deno.writeTextFile(`${folder}/file`, "");
  for (
    const [path, state] of [
      [`${folder}/none/a`, "its folder must exist"],
      [`${folder}/file/a`, "it must lie in a folder"],
      ["/sys/a", "its folder must be writable"], // not even root may create files there
    ] as const
  ) {
    expect(await refusal(writeAtomically(path, BYTES, { overwrite: true }))).toContain(state);
  }
});

test("writeAtomically() refuses the name of a folder", async () => {
  await Deno.mkdir(`${folder}/sub`);
  for (const overwrite of [true, false]) {
    expect(await refusal(writeAtomically(`${folder}/sub`, BYTES, { overwrite }))).toContain("it is a folder");
  }
});
