import { BUNDLED_MODEL, verifyModel } from "@fluxsr/core";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { damagedModel, edited } from "../../e2e/_broken_model.ts";
import { messageOf } from "../weights/_files.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "./_model.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

it("reads all weights of a model, and tells how far it is", async () => {
  const told: [number, number][] = [];
  const { tensors, bytes, files, checksums } = await verifyModel(BUNDLED_MODEL, {
    onProgress: (...state) => told.push(state),
  });
  expect(tensors).toBeGreaterThan(100);
  expect([files, checksums]).toEqual([2, 0]);
  expect(told.at(-1)).toEqual([bytes, bytes]);
});

it("finds a value that is not finite, and a file that is cut off", async () => {
  const broken = join(temporaryFolder(), "broken");
  await damagedModel(broken, edited(({ data }) => data.fill(0xff, data.length - 4)));
  expect(await messageOf(verifyModel(broken))).toMatch(
    /^Cannot load "[^"]+" of "[^"]+": weights must be finite: value \d+ is NaN$/,
  );
  const cut = join(temporaryFolder(), "cut");
  await damagedModel(cut, (bytes) => bytes.subarray(0, bytes.length - 100));
  expect(await messageOf(verifyModel(cut))).toMatch(/^Cannot open ".*safetensors": file is truncated/);
});

it("compares the checksums of a download, and names the shard of another model", async () => {
  const folder = modelFolder(DIFFUSERS_LAYOUT);
  const weights = "transformer/diffusion_pytorch_model.safetensors";
  const metadata = join(folder, ".cache/huggingface/download", `${weights}.metadata`);
  const sha256 = createHash("sha256").update(Deno.readFileSync(join(folder, weights))).digest("hex");
  Deno.mkdirSync(dirname(metadata), { recursive: true });
  Deno.writeTextFileSync(metadata, `commit\n${sha256}\n0\n`);
  const told: [number, number][] = [];
  const verified = await verifyModel(folder, { onProgress: (...state) => told.push(state) });
  expect(verified).toMatchObject({ files: 2, checksums: 1 });
  expect(told.at(-1)).toEqual([verified.bytes, verified.bytes]);

  // One bit of one weight: as finite as it was, as that of a finetuned model is.
  const bytes = Deno.readFileSync(join(folder, weights));
  bytes[bytes.length - 4]! ^= 1;
  Deno.writeFileSync(join(folder, weights), bytes);
  expect(await messageOf(verifyModel(folder))).toMatch(/^Cannot load ".*transformer.*": its SHA-256 must be that of/);
});
