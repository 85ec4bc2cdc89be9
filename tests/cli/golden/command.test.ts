import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readTensors } from "../../../packages/cli/golden/case.ts";
import { golden as bundled } from "../../core/weights/_files.ts";
import { temporaryRoot, writeCase } from "./_write_case.ts";

/** Runs the command line in its own process. */
async function golden(...roots: string[]): Promise<{ code: number; lines: string[] }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL("../../../packages/cli/main.ts", import.meta.url)), "golden", ...roots],
    env: { XDG_RUNTIME_DIR: "/tmp" },
  }).output();
  return { code, lines: new TextDecoder().decode(stdout).trimEnd().split("\n") };
}

test("golden ends with the totals and 0, without a root on the bundled cases", async () => {
  const { code, lines } = await golden();
  expect(lines.at(-1)).toMatch(/^[1-9]\d* passed, 0 failed, \d+ skipped$/);
  expect(code).toBe(0);
});

test("golden ends with 1 when one expected value of a case is wrong", async () => {
  const { config } = JSON.parse(await Deno.readTextFile(bundled("mmdit-guidance/case.json")));
  const io = new Map(await readTensors(bundled("mmdit-guidance/io.safetensors")));
  const out = io.get("out")!;
  io.set("out", { ...out, values: out.values.with(1234, out.values[1234]! + 0.01) });
  const root = temporaryRoot();
  await writeCase(root, { name: "spoilt", kind: "mmdit", config, files: { "io.safetensors": io } });
  await Deno.copyFile(bundled("mmdit-guidance/weights.safetensors"), `${root}/spoilt/weights.safetensors`);
  const { code, lines } = await golden(root);
  expect(lines[0]).toMatch(/^spoilt \[mmdit\] fail: forward 1 of 12 fail, worst .* \(out: 1\.0e-2 > /);
  expect(lines.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
  expect(code).toBe(1);
});

test("golden ends with 1 when nothing passed", async () => {
  const { code, lines } = await golden(temporaryRoot());
  expect(lines.at(-1)).toBe("0 passed, 0 failed, 0 skipped");
  expect(code).toBe(1);
});
