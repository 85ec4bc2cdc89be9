import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { checkSha256, knownSha256 } from "../../../packages/core/model_folder/checksums.ts";
import { inputError } from "../weights/_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** The SHA-256 of "abc", FIPS 180-2, B.1. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const OTHER = "0".repeat(64);

/** Writes the files, and folders for them. */
function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    Deno.mkdirSync(dirname(join(folder, name)), { recursive: true });
    Deno.writeTextFileSync(join(folder, name), text);
  }
}

it("finds the checksums of a download to a folder, of files in LFS only", async () => {
  const folder = temporaryFolder(), kept = ".cache/huggingface/download";
  write(folder, {
    "transformer/a.safetensors": "abc",
    "ae.safetensors": "abc",
    "small.safetensors": "abc",
    "none.safetensors": "abc",
    [`${kept}/transformer/a.safetensors.metadata`]: `${"1".repeat(40)}\n${ABC}\n1712656091.123\n`,
    [`${kept}/ae.safetensors.metadata`]: `${"1".repeat(40)}\r\n${OTHER}\r\n1712656091.123\r\n`,
    [`${kept}/small.safetensors.metadata`]: `${"1".repeat(40)}\n${"2".repeat(40)}\n1712656091.123\n`,
  });
  const found = (name: string) => knownSha256(join(folder, name), folder);
  expect(await found("transformer/a.safetensors")).toBe(ABC);
  expect(await found("ae.safetensors")).toBe(OTHER);
  expect(await found("small.safetensors")).toBeUndefined();
  expect(await found("none.safetensors")).toBeUndefined();
});

it("finds the checksums in the hub's cache, whose blobs may be links to files named after another hash", async () => {
  const cache = temporaryFolder(), repository = join(cache, "models--a--b");
  const snapshot = join(repository, "snapshots/1111"), shared = "7".repeat(64);
  write(cache, { [`blobs/77/${shared}`]: "abc", [`models--a--b/blobs/${OTHER}`]: "x" });
  Deno.mkdirSync(join(snapshot, "vae"), { recursive: true });
  Deno.symlinkSync(`../../blobs/77/${shared}`, join(repository, "blobs", ABC));
  Deno.symlinkSync(`../../../blobs/${ABC}`, join(snapshot, "vae/a.safetensors"));
  Deno.symlinkSync(`../../blobs/${OTHER}`, join(snapshot, "b.safetensors"));
  expect(await knownSha256(join(snapshot, "vae/a.safetensors"), snapshot)).toBe(ABC);
  expect(await knownSha256(join(snapshot, "b.safetensors"), snapshot)).toBe(OTHER);

  // A folder of one's own, a link, of links to the snapshot.
  const own = join(temporaryFolder(), "own"), model = join(temporaryFolder(), "model");
  Deno.mkdirSync(own);
  Deno.symlinkSync(join(snapshot, "vae/a.safetensors"), join(own, "ae.safetensors"));
  Deno.symlinkSync(own, model);
  expect(await knownSha256(join(model, "ae.safetensors"), model)).toBe(ABC);
});

it("names the file whose checksum is another, tells how far it is", async () => {
  const folder = temporaryFolder(), path = join(folder, "a.safetensors");
  write(folder, { "a.safetensors": "abc" });
  const told: number[] = [];
  await checkSha256(path, { expected: ABC, onBytes: (count) => told.push(count) });
  expect(told).toEqual([3]);
  const error = await inputError(checkSha256(path, { expected: OTHER, onBytes: () => {} }));
  expect(error.message).toBe(
    `Cannot load "${path}": its SHA-256 must be that of the download, ${OTHER}: it is ${ABC}`,
  );
  expect(error.hint).toContain("download it again");
});
