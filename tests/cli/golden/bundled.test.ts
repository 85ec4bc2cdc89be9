import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { gpu } from "../../helpers/gpu.ts";
import { run } from "./_write_case.ts";

const BUNDLED = fileURLToPath(new URL("../../golden", import.meta.url));

describe("runGolden() on the bundled cases", () => {
  let result: Awaited<ReturnType<typeof run>>;
  let live = 0;
  beforeAll(async () => {
    live = gpu.memory.live;
    result = await run(BUNDLED);
  });

  test.each([
    ["lora", "lora", ["forward", "grads", "merged"]],
    ["metrics", "metrics", ["psnr", "ssim"]],
    ["mmdit-guidance", "mmdit", ["forward", "grads"]],
    ["mmdit-guidance-diffusers", "mmdit-diffusers-names", ["weights 0", "forward"]],
    ["sampling", "sampling", ["schedule", "forward"]],
    ["vae", "autoencoder", ["forward", "grads"]],
    ["vae-diffusers", "autoencoder-diffusers-names", ["weights 0", "forward"]],
  ])("%s passes", (name, kind, groups) => {
    const line = result.lines.find((each) => each.startsWith(`${name} [`))!;
    expect(line).toContain(`${name} [${kind}] pass: `);
    for (const group of groups) expect(line).toContain(group);
  });

  test("all cases pass, each has a line, and the last line counts them", () => {
    const cases = [...Deno.readDirSync(BUNDLED)].filter(({ isDirectory }) => isDirectory).length;
    expect(result.lines.filter((line) => line.includes("] pass: "))).toHaveLength(cases);
    expect(result.lines).toHaveLength(cases);
    expect(result.totals).toBe(`${cases} passed, 0 failed, 0 skipped`);
    expect(result.isGood).toBe(true);
  });

  test("nothing stays on the GPU", () => {
    expect(gpu.memory.live).toBe(live);
  });
});
