import { openWeights } from "@fluxsr/core";
import { Command } from "commander";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { registerEmbed } from "../../packages/cli/embed.ts";
import { runProgram } from "../../packages/cli/program.ts";
import { GOLDEN } from "../core/text/_golden.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "./_fakes.ts";

afterEach(removeFolders);

/** What `fluxsr embed ...args` prints and how it ends. */
async function run(...args: string[]) {
  const host = fakeHost();
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  registerEmbed(program, { host });
  await runProgram(["embed", ...args], { host, program });
  return host;
}

test("writes a text of 512 tokens, and says its sizes", async () => {
  const output = join(folderWith({}), "text.safetensors");
  const { code, stdout, stderr } = await run("a red fox", "-m", GOLDEN, "-o", output);
  expect([code, stdout, stderr]).toEqual([undefined, `${output}: txt [1, 512, 48], y [1, 32]\n`, ""]);
  using source = await openWeights(output);
  expect(Object.fromEntries(source.tensors)).toEqual({
    txt: { dtype: "F32", shape: [1, 512, 48] },
    y: { dtype: "F32", shape: [1, 32] },
  });
  expect(source.metadata).toEqual({ text: "a red fox" });
});

test("says that a text is cut, and replaces a file when told to", async () => {
  const folder = folderWith({ "text.safetensors": "old" });
  const output = join(folder, "text.safetensors");
  const args = ["a photo of a red fox", "-m", GOLDEN, "-o", output, "--tokens", "4"];
  const kept = await run(...args);
  expect([kept.code, kept.stderr]).toEqual([
    1,
    `Cannot write "${output}": the file must not exist yet: it does\nHint: Pass --overwrite to replace it.\n`,
  ]);
  const { stdout, stderr } = await run(...args, "--overwrite");
  expect([stdout, stderr]).toEqual([
    `${output}: txt [1, 4, 48], y [1, 32]\n`,
    "T5 takes 4 tokens: the text is cut\n",
  ]);
  expect(namesIn(folder)).toEqual(["text.safetensors"]);
});

test("--max-vram is kept to, or refused with what would do; --dry-run says what it takes and writes nothing", async () => {
  const folder = folderWith({});
  const args = ["a red fox", "-m", GOLDEN, "--tokens", "64"];
  const [plain, within] = ["plain", "within"].map((name) => join(folder, `${name}.safetensors`));
  await run(...args, "-o", plain!);
  const planned = await run(...args, "-o", within!, "--dry-run", "--max-vram", "0.35MB");
  expect([planned.code, planned.stdout]).toEqual([
    undefined,
    expect.stringMatching(/T5 +\d.* of 2 blocks stay, [^]*CLIP/),
  ]);
  expect(namesIn(folder)).toEqual(["plain.safetensors"]);
  expect((await run(...args, "-o", within!, "--max-vram", "0.35MB")).code).toBe(undefined);
  expect(Deno.readFileSync(within!)).toEqual(Deno.readFileSync(plain!));
  const { code, stderr } = await run(...args, "-o", join(folder, "c.safetensors"), "--max-vram", "0.1MB");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^Cannot encode texts of 64 tokens within 100000 bytes [^]* are in use\nHint: raise/),
  ]);
});

test.each<[string[], number, string]>([
  [["-m", GOLDEN, "-o", "a.safetensors"], 2, "Missing required argument 'text'"],
  [["a", "-o", "a.safetensors"], 2, "Required option '-m, --model <dir>' not specified"],
  [["a", "-m", GOLDEN, "-o", "a.json"], 2, `Cannot use --output "a.json": it must end in .safetensors`],
  [["a", "-m", GOLDEN, "-o", "a.safetensors", "--tokens", "1"], 2, "it must be a whole number from 2 to 4096"],
  [["a", "-m", "/nowhere", "-o", "a.safetensors"], 1, `Cannot open text encoders of "/nowhere": folder must have `],
  [["a", "-m", GOLDEN, "-o", "/nowhere/a.safetensors"], 1, `its folder must exist: there is no "/nowhere"`],
])("%j: exit code %i, %s", async (args, code, message) => {
  const host = await run(...args);
  expect([host.code, host.stderr]).toEqual([code, expect.stringContaining(message)]);
});
