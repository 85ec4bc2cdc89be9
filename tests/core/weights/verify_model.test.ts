import { BUNDLED_MODEL, verifyModel } from "@fluxsr/core";
import { join } from "node:path";
import { expect, it } from "vitest";
import { damagedModel, edited } from "../../e2e/_broken_model.ts";
import { messageOf, temporaryFolder } from "./_files.ts";

it("reads all weights of a model, and tells how far it is", async () => {
  const told: [number, number][] = [];
  const { tensors, bytes } = await verifyModel(BUNDLED_MODEL, { onProgress: (...state) => told.push(state) });
  expect(tensors).toBeGreaterThan(100);
  expect(told.at(-1)).toEqual([bytes, bytes]);
});

it("finds a value that is not finite, and a file that is cut off", async () => {
  const broken = join(temporaryFolder(), "broken");
  await damagedModel(broken, edited(({ data }) => data.fill(0xff, data.length - 4)));
  expect(await messageOf(verifyModel(broken))).toMatch(/weights must be finite: value \d+ is NaN$/);
  const cut = join(temporaryFolder(), "cut");
  await damagedModel(cut, (bytes) => bytes.subarray(0, bytes.length - 100));
  expect(await messageOf(verifyModel(cut))).toMatch(/^Cannot open ".*safetensors": file is truncated/);
});
