import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";

/** Imports `.wgsl` files as text, as Deno does with `with { type: "text" }`. */
const wgsl = {
  name: "wgsl",
  enforce: "pre" as const,
  async load(id: string) {
    return id.endsWith(".wgsl") ? `export default ${JSON.stringify(await readFile(id, "utf8"))};` : undefined;
  },
};

/** The last line of a run: `N passed, N failed`, where a file that does not load counts as a failure. */
const totals: Reporter = {
  onTestRunEnd(modules, errors) {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const count = (state: string) => states.filter((each) => each === state).length;
    const broken = errors.length + modules.filter((module) => module.errors().length > 0).length;
    console.log(`${count("passed")} passed, ${count("failed") + broken} failed, ${count("skipped")} skipped`);
  },
};

export default defineConfig({
  plugins: [wgsl],
  resolve: {
    alias: ["kernels", "core", "train", "cli"].map((name) => ({
      find: `@fluxsr/${name}`,
      replacement: fileURLToPath(new URL(`packages/${name}/mod.ts`, import.meta.url)),
    })),
  },
  test: {
    include: ["tests/**/*.test.ts"],
    reporters: ["default", totals],
    pool: "forks",
    expect: { requireAssertions: true },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
