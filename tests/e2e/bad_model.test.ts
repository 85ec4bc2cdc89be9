import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { damagedModel, edited } from "./_broken_model.ts";
import { run } from "./_command.ts";
import { picture } from "./_pictures.ts";

const ARGS = ["upscale", "photo.png", "-m", "model", "-o", "c.png"];

let folder = "";

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "fluxsr-test-" });
  await picture(40, 30).png().toFile(join(folder, "photo.png"));
});

afterAll(() => Deno.remove(folder, { recursive: true }));

describe("upscale refuses a model whose weights", () => {
  /** Runs with a copy of the starter that was damaged. */
  async function refuses(damage: (file: Uint8Array) => Uint8Array, message: RegExp): Promise<void> {
    const model = join(folder, "model");
    await damagedModel(model, damage);
    const { code, stderr } = await run(ARGS, { cwd: folder });
    expect(stderr[0]).toMatch(message);
    expect(stderr.join("\n")).not.toMatch(/--debug|\n {4}at /);
    expect(code).toBe(1);
    await expect(Deno.stat(join(folder, "c.png"))).rejects.toThrow();
  }

  test("are truncated", () => refuses((file) => file.subarray(0, file.length - 1000), /^photo\.png: Cannot .*file/));

  test("are garbage", () =>
    refuses(() => crypto.getRandomValues(new Uint8Array(5000)), /^photo\.png: Cannot .*header/));

  test("have another shape", () =>
    refuses(
      edited(({ header }) => {
        const weight = Object.values(header).find(({ shape }) => shape?.length === 2 && shape[0] !== shape[1]);
        weight?.shape.reverse();
      }),
      /^photo\.png: Cannot load ".*": .*\[\d+, \d+\].*\[\d+, \d+\]/,
    ));

  test("have NaN", () =>
    refuses(
      edited(({ header, data }) => {
        const [, { dtype, data_offsets: [at] }] = Object.entries(header).find(([name]) => name.endsWith("weight"))!;
        data.fill(0xff, at, at + (dtype === "F32" ? 4 : 2));
      }),
      /^photo\.png: Cannot load ".*": .*(NaN|finite)/,
    ));

  test("lack a tensor", () =>
    refuses(
      edited(({ header }) => {
        const [name] = Object.keys(header).filter((key) => key !== "__metadata__").slice(-1);
        header[`${name}.other`] = header[name!]!;
        delete header[name!];
      }),
      /^photo\.png: Cannot load .*/,
    ));

  test("are not there", async () => {
    const model = join(folder, "model");
    await damagedModel(model, (file) => file);
    await Deno.remove(join(model, "vae"), { recursive: true });
    const { code, stderr } = await run(ARGS, { cwd: folder });
    expect(stderr[0]).toMatch(/^photo\.png: Cannot open model ".*": folder must have an autoencoder/);
    expect(code).toBe(1);
  });
});
