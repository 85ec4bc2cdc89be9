import { Command } from "commander";
import { afterEach, expect, test } from "vitest";
import { runProgram } from "../../../packages/cli/program.ts";
import { registerPairs } from "../../../packages/cli/train/pairs.ts";
import { readManifest } from "../../../packages/train/data/pairs/manifest.ts";
import { writePairs } from "../../../packages/train/data/pairs/write_pairs.ts";
import { openPairs } from "../../../packages/train/data/pairs/pairs.ts";
import { planPairs } from "../../../packages/train/data/pairs/plan_pairs.ts";
import { pairsConfig } from "../../../packages/train/config/pairs_config.ts";
import { withDeepT5 } from "../../core/text/_deep_t5.ts";
import { withTextEncoders } from "../../core/text/_golden.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "../../core/model_folder/_model.ts";
import { pictureFolder } from "../../train/_pretraining.ts";
import { contentsOf, damage, SETTINGS, ToyMaker } from "../../train/data/pairs/_pairs.ts";
import { fakeHost, folderWith, removeFolders } from "../_fakes.ts";
import { gpu } from "../../helpers/gpu.ts";
import { STARTER } from "../../helpers/starter.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

afterEach(removeFolders);

/** What `fluxsr pairs ...args` prints and how it ends. */
async function run(...args: string[]) {
  const host = fakeHost();
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  registerPairs(program, { host });
  await runProgram(["pairs", ...args], { host, program });
  return host;
}

test("makes pairs with the bundled model, and again none", async () => {
  const out = `${temporaryFolder()}/new`;
  const args = ["--out", out, "--count", "2", "--size", "32", "--steps", "1"];
  const first = await run(...args);
  expect([first.code, first.stderr]).toEqual([0, expect.stringContaining(`${out} has 2 of 2 pairs: 2 made, `)]);
  const second = await run(...args);
  expect([second.code, second.stderr]).toEqual([0, `${out} has 2 of 2 pairs\n`]);
  const verified = await run("--verify", "--out", out);
  expect([verified.code, verified.stdout]).toEqual([
    0,
    `pairs-000000-000001.safetensors  2 pairs  ok\n${out}: 2 good pairs, 0 damaged shards\n`,
  ]);
});

test("--turn mirrors and turns crops, and such pairs are gone on with so only", async () => {
  const model = modelFolder(DIFFUSERS_LAYOUT), out = `${temporaryFolder()}/new`;
  const photos = await pictureFolder({ count: 1, width: 32, height: 32 });
  const args = ["--out", out, "--model", model, "--from-images", photos, "--size", "32", "--steps", "1"];
  expect((await run(...args, "--turn", "--count", "6")).code).toBe(0);
  const { settings, pair } = await openPairs(out, { model });
  expect(settings).toMatchObject({ source: "images", turn: true });
  const made = await Promise.all(Array.from({ length: 6 }, async (_, i) => (await pair(i)).x_0.rgb));
  const pixels = (rgb: Uint8Array) => Array.from({ length: 32 * 32 }, (_, i) => rgb.slice(3 * i, 3 * i + 3).join());
  expect(new Set(made.map(String)).size).toBeGreaterThan(1);
  expect(new Set(made.map((rgb) => pixels(rgb).sort().join(";"))).size).toBe(1);
  const more = await run(...args, "--count", "8");
  expect([more.code, more.stderr]).toEqual([1, expect.stringContaining("turn must be that of its pairs")]);
  expect((await run(...args, "--turn", "--count", "8")).code).toBe(0);
});

test("a text file of prompts is encoded by the model folder, and each pair has its own", async () => {
  const model = withTextEncoders(modelFolder(DIFFUSERS_LAYOUT));
  const { out, prompts } = {
    out: `${temporaryFolder()}/new`,
    prompts: `${folderWith({ "p.txt": "a fox\nships\n" })}/p.txt`,
  };
  const args = ["--out", out, "--model", model, "--count", "3", "--size", "32", "--steps", "1"];
  const first = await run(...args, "--prompts", prompts, "--prompt-tokens", "8");
  expect([first.code, first.stderr]).toEqual([0, expect.stringContaining(`Encoding 2 prompts\n${out} has 3 of 3 `)]);
  const { shards: [shard] } = await readManifest(out);
  expect(shard?.prompts).toEqual([0, 1, 0]);
  const again = await run(...args, "--prompts", prompts, "--prompt-tokens", "8");
  expect([again.code, again.stderr]).toEqual([0, `${out} has 3 of 3 pairs\n`]);
  const other = await run(...args, "--prompts", prompts, "--prompt-tokens", "9");
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("prompts must be that of its pairs")]);
});

test("--max-vram holds from prompts to pairs: the encoders are gone before the teacher comes", async () => {
  const model = await withDeepT5(modelFolder(DIFFUSERS_LAYOUT), { blocks: 30 });
  const prompts = `${folderWith({ "p.txt": "a fox\nships\n" })}/p.txt`;
  const args = ["--model", model, "--count", "1", "--size", "32", "--steps", "1", "--prompts", prompts];
  const made = async (...more: string[]) => {
    const out = `${temporaryFolder()}/new`;
    const host = await run("--out", out, ...args, "--prompt-tokens", "512", ...more);
    return { host, shard: host.code === 0 ? Deno.readFileSync(`${out}/pairs-000000-000000.safetensors`) : undefined };
  };
  const plan = await planPairs(gpu, pairsConfig.parse({ out: "a", model, size: 32, prompts, prompt_tokens: 512 }));
  const { texts, teacher } = plan;
  // Enough for the teacher, but not for all of T5, nor for the teacher beside what T5 holds.
  const bytes = texts!.t5.usedBytes - 1;
  expect(teacher.usedBytes).toBeLessThan(bytes);
  expect(teacher.usedBytes + texts!.t5.loadedBytes).toBeGreaterThan(bytes);
  const budget = `${bytes / 1e6}MB`;
  const within = await made("--max-vram", budget);
  expect(within.host.code).toBe(0);
  expect(within.shard).toEqual((await made()).shard);
  const { code, stdout } = (await made("--max-vram", budget, "--dry-run")).host;
  expect([code, stdout]).toEqual([
    undefined,
    expect.stringMatching(/T5 .* of 30 blocks stay, [^]*GPU memory of the teacher/),
  ]);
  const refused = await made("--max-vram", "0.001MB");
  expect([refused.host.code, refused.host.stderr]).toEqual([
    1,
    expect.stringContaining("Cannot encode texts of 512 tokens within 1000 "),
  ]);
});

test("--max-vram loads blocks of the teacher in their turn: the pairs are the same", async () => {
  const model = modelFolder(DIFFUSERS_LAYOUT);
  const args = ["--model", model, "--count", "3", "--size", "32", "--steps", "1"];
  const { teacher: whole } = await planPairs(gpu, pairsConfig.parse({ out: "a", model, count: 3, size: 32 }));
  const within = ["--max-vram", `${(whole.usedBytes - 1) / 1e6}MB`];
  const [all, some] = [`${temporaryFolder()}/all`, `${temporaryFolder()}/some`];
  expect((await run("--out", all, ...args)).code).toBe(0);
  const { code, stderr } = await run("--out", some, ...args, ...within);
  const blocks =
    "[0-4] of 5 blocks stay, [\\d.]+ [KM]B are loaded for each pass of 3 groups of pairs, [\\d.]+ [KM]B for a pair";
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(new RegExp(`^Within [\\d.]+ MB: ${blocks}\n${some} has 3 of 3`)),
  ]);
  expect(contentsOf(some)).toEqual(contentsOf(all));
  const { stdout } = await run("--out", some, ...args, ...within, "--dry-run");
  expect(stdout).toMatch(new RegExp(`^GPU memory of the teacher\n  networks +[\\d.]+ MB  ${blocks}\n`));
  const refused = await run("--out", some, ...args, "--max-vram", "0.001MB");
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^Cannot make pairs within 1000 bytes of GPU memory: .*\nHint: raise --max-vram to \d+MB or more/,
    ),
  ]);
});

test("an interruption while prompts are encoded leaves nothing and ends with 130", async () => {
  const model = withTextEncoders(modelFolder(DIFFUSERS_LAYOUT));
  const out = `${temporaryFolder()}/new`, prompts = `${folderWith({ "p.txt": "a fox\n".repeat(500) })}/p.txt`;
  const ended = run("--out", out, "--model", model, "--size", "32", "--prompts", prompts, "--prompt-tokens", "8");
  const isEncoding = () => Deno.stat(out).then(() => [...Deno.readDirSync(out)].length > 0, () => false);
  while (!await isEncoding()) await new Promise((resolve) => setTimeout(resolve, 5));
  Deno.kill(Deno.pid, "SIGINT");
  const { code } = await ended;
  expect([code, [...Deno.readDirSync(out)]]).toEqual([130, []]);
});

test("--verify names damaged shards", async () => {
  const out = temporaryFolder();
  await writePairs(out, { maker: new ToyMaker(), settings: SETTINGS, count: 5 });
  damage(`${out}/pairs-000003-000004.safetensors`);
  const { code, stdout } = await run("--verify", "--out", out, "--model", STARTER);
  expect(code).toBe(1);
  expect(stdout.split("\n")).toEqual([
    "pairs-000000-000002.safetensors  3 pairs  ok",
    expect.stringContaining("pairs-000003-000004.safetensors  2 pairs  DAMAGED: sha256 must be the manifest's: it is "),
    `${out}: 3 good pairs, 1 damaged shards`,
    "",
  ]);
});

test.each<[string[], number, string]>([
  [[], 1, "Cannot use the configuration: out must be text that is not empty: it is missing"],
  [["--out", "a", "--steps", "0"], 2, "It must be a whole number of at least 1."],
  [["--out", "a", "--stepps", "4"], 2, "did you mean --steps?"],
  [["--out", "/nowhere/pairs", "--verify"], 1, "the folder must have a manifest.json"],
  [["--out", "a", "--size", "36"], 1, "Cannot make pairs: size must be a multiple of 8: it is 36"],
  [["--out", "a", "--from-images", "/nowhere"], 1, "/nowhere"],
  [["--out", "a", "--prompts", "/nowhere.txt"], 1, `Cannot use prompts "/nowhere.txt": no such file`],
  [["--out", "a", "--prompts", "README.md"], 1, `models/nano": folder must have text_encoder, `],
])("%j: exit code %i, %s", async (args, code, message) => {
  const host = await run(...args);
  expect([host.code, host.stderr]).toEqual([code, expect.stringContaining(message)]);
});

test("keys of a file are told from misspelt ones", async () => {
  const files = folderWith({ "good.json": `{"out": "a", "size": 36}`, "bad.json": `{"out": "a", "sise": 36}` });
  expect((await run("--config", `${files}/good.json`)).stderr).toContain("must be a multiple of 8: it is 36");
  expect((await run("--config", `${files}/good.json`, "--size", "41")).stderr).toContain("it is 41");
  const { stderr } = await run("--config", `${files}/bad.json`);
  expect(stderr).toContain(`keys must be known ones: it has "sise"\nHint: did you mean "size"?`);
});
