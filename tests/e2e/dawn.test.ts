import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DRIVER, NO_DAWN, openDawnGpu } from "../helpers/dawn.ts";
import { run } from "./_command.ts";

const GOLDEN = fileURLToPath(new URL("../golden", import.meta.url));
const dawn = await openDawnGpu();
dawn?.destroy();

test("golden --gpu dawn computes as PyTorch did, and ends", async ({ skip }) => {
  skip(!dawn, NO_DAWN);
  const root = await Deno.makeTempDir();
  try {
    for (const name of ["adl", "degradation"]) await Deno.symlink(`${GOLDEN}/${name}`, `${root}/${name}`);
    const { code, stdout } = await run(["golden", root, "--gpu", "dawn"], { cwd: root, env: DRIVER });
    expect(stdout).toMatch(/\n2 passed, 0 failed, 0 skipped\n$/);
    expect(code).toBe(0);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
