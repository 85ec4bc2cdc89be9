import { expect, test } from "vitest";
import { run } from "./_command.ts";

const NO_ADAPTER = { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "/nonexistent", DENO_WEBGPU_BACKEND: "vulkan" };

test("doctor ends with 0 where upscaling works", async () => {
  const { code, stdout, stderr } = await run(["doctor", "--json"], { cwd: Deno.cwd() });
  expect(stderr).toEqual([]);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, selfTest: { ok: true }, problems: [] });
  expect(code).toBe(0);
});

test("doctor ends with 1 without an adapter, and says what to do", async () => {
  const { code, stdout } = await run(["doctor"], { cwd: Deno.cwd(), env: NO_ADAPTER });
  expect(stdout).toContain("Cannot open a GPU: WebGPU found no adapter\nHint: ");
  expect(stdout).toContain(`VK_DRIVER_FILES is set to "/nonexistent": unset it, or correct it.`);
  expect(stdout).toMatch(/Upscaling does not work here\.\n$/);
  expect(code).toBe(1);
});
