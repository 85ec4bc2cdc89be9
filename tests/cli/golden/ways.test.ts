/** Golden values by the ways of computing that hardware takes, on the adapter of the tests. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runGolden } from "../../../packages/cli/golden/run.ts";
import { hardwareGpu } from "../../helpers/ways.ts";

/** Those that most kernels take part in; the others take minutes by these ways. */
const CASES = ["mmdit-guidance", "vae"];

test.each([
  ["hardware", hardwareGpu()],
  ["hardware with few registers", hardwareGpu(undefined, { vendor: "intel" })],
  ["hardware that transforms convolutions", hardwareGpu({ by: "winograd" })],
])("a transformer, an autoencoder and their gradients pass by the ways of %s", async (_, gpu) => {
  const root = await Deno.makeTempDir();
  try {
    for (const name of CASES) {
      await Deno.symlink(fileURLToPath(new URL(`../../golden/${name}`, import.meta.url)), `${root}/${name}`);
    }
    const lines: string[] = [];
    await runGolden([root], { gpu, print: (line) => lines.push(line) });
    expect(lines.at(-1), lines.join("\n")).toBe(`${CASES.length} passed, 0 failed, 0 skipped`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
