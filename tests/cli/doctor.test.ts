import { BUNDLED_MODEL, InputError, loadModel, planUpscale } from "@fluxsr/core";
import { openGpu, UnsupportedFeatureError } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { type Examination, examine } from "../../packages/cli/_examine.ts";
import { describe as inWords } from "../../packages/cli/doctor.ts";

const noGpu = () => Promise.reject(new UnsupportedFeatureError("Cannot open a GPU: none", "install one"));
const badModel = () => Promise.reject(new InputError("Cannot open model"));

describe("examine()", () => {
  test("finds that upscaling works, with the numbers of adapter, model and tile", async () => {
    const found = await examine({ openGpu, loadModel, planUpscale, model: BUNDLED_MODEL });
    expect(found.problems).toEqual([]);
    expect(found.ok).toBe(true);
    expect(found.adapter?.description).not.toBe("");
    expect(Object.keys(found.features ?? {})).toEqual(["shader-f16", "timestamp-query", "subgroups"]);
    expect(found.limits?.maxBufferSize).toBeGreaterThan(2 ** 27);
    expect(found.selfTest).toMatchObject({ ok: true });
    expect(found.model?.parameters.transformer).toBeGreaterThan(1e6);
    expect(found.model?.gpuBytes).toBeGreaterThan(2 * (found.model?.parameters.transformer ?? 0));
    expect(found.tile?.gpuBytes).toBeGreaterThan(found.model?.gpuBytes ?? 0);
    expect(found.versions.deno).toBe(Deno.version.deno);
  });

  test("says without an adapter what can be done", async () => {
    const found = await examine({ openGpu: noGpu, loadModel, planUpscale, model: BUNDLED_MODEL });
    expect(found).toMatchObject({ ok: false, adapter: null, limits: null, model: null, tile: null, selfTest: null });
    expect(found.problems).toHaveLength(1);
    expect(found.problems[0]).toMatchObject({ message: "Cannot open a GPU: none", hint: "install one" });
    expect(found.problems[0]?.advice.length).toBeGreaterThan(0);
  });

  test("still tells of the adapter if the model cannot be loaded", async () => {
    const found = await examine({ openGpu, loadModel: badModel, planUpscale, model: BUNDLED_MODEL });
    expect(found).toMatchObject({ ok: false, model: null, problems: [{ message: "Cannot open model" }] });
    expect(found.adapter).not.toBeNull();
  });
});

describe("doctor in words", () => {
  const found: Examination = {
    ok: true,
    adapter: { description: "Pretender 9", vendor: "4318", software: false },
    features: { "shader-f16": true, "subgroups": true },
    subgroups: { min: 8, max: 32 },
    matrices: [
      { m: 16, n: 16, k: 16, operands: "f16", result: "f32" },
      { m: 8, n: 8, k: 16, operands: "i8", result: "i32" },
    ],
    limits: {
      maxBufferSize: 2 ** 31 - 1,
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeWorkgroupStorageSize: 49152,
      maxComputeInvocationsPerWorkgroup: 1024,
    },
    versions: { deno: "2", libvips: "8" },
    model: { name: "Small", path: "dir", parameters: { transformer: 5_120_000, autoencoder: 1e6 }, gpuBytes: 2 ** 20 },
    tile: { side: 512, overlap: 64, gpuBytes: 3 * 2 ** 30 },
    selfTest: { ok: true, worstError: 2e-6, milliseconds: 12.3 },
    problems: [],
  };

  test("is a table and a verdict", () => {
    expect(inWords(found)).toBe(`\
Adapter           Pretender 9 (hardware)
Vendor            NVIDIA (4318)
Features          shader-f16 yes, subgroups yes
Subgroups         8 to 32 lanes
Matrix units      16x16x16 f16 to f32, 8x8x16 i8 to i32
Largest buffer    2.0 GiB
Largest binding   128 MiB
Workgroup memory  48 KiB
Workgroup size    1024 invocations
Versions          deno 2, libvips 8
Bundled model     Small (transformer 5.12 M parameters, autoencoder 1.00 M parameters; 1 MiB on the GPU)
Tile              512 x 512, overlap 64, 3 GiB on the GPU with the model
Self-test         passed: matrix product off by 2.0e-6, 12 ms

Upscaling works here.
`);
  });

  test("ends with each problem and what to do about it", () => {
    const nothing = {
      adapter: null,
      features: null,
      subgroups: null,
      matrices: null,
      limits: null,
      model: null,
      tile: null,
      selfTest: null,
    };
    const problems = [{ message: "Cannot open a GPU", hint: "look for one", advice: ["Buy one."] }];
    expect(inWords({ ...found, ...nothing, ok: false, problems })).toBe(`\
Versions  deno 2, libvips 8

Cannot open a GPU
Hint: look for one
  - Buy one.

Upscaling does not work here.
`);
  });
});
