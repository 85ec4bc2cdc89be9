/** Every kernel in Dawn's compiler, which is stricter than Deno's. */
import { expect, test } from "vitest";
import type { Kernel } from "../../../packages/kernels/gpu/kernel.ts";
import { refusalByDawn } from "../../helpers/dawn.ts";

const OPS = new URL("../../../packages/kernels/ops/", import.meta.url);

const modules = [...Deno.readDirSync(OPS)].map(({ name }) => name).filter((name) => /^[^_].*\.ts$/.test(name)).sort();
const kernels: [string, Kernel][] = [];
for (const name of modules) {
  const { kernels: declared = {} } = await import(new URL(name, OPS).pathname);
  for (const [variant, kernel] of Object.entries<Kernel>(declared)) {
    if (kernel.binds) kernels.push([`${name.slice(0, -".ts".length)}: ${variant}`, kernel]);
  }
}

test.each(kernels)("%s", async (_, kernel) => {
  expect(await refusalByDawn(kernel)).toBeUndefined();
});
