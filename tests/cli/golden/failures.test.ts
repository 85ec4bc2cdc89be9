import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import { randomCase, smallConfig } from "../../core/mmdit/_random_case.ts";
import type { Named } from "../../core/nn/_random_weights.ts";
import { run, temporaryRoot, writeCase } from "./_write_case.ts";

const CONFIG = smallConfig({ num_heads: 1, depth_single_blocks: 0 });
const { weights, io, expected } = randomCase(CONFIG, { batch: 1, rows: 1, columns: 3, tokens: 1 });

/** Writes the small case, with `changes` in its io file. */
async function write(
  root: string,
  name: string,
  { changes = new Map(), config = CONFIG }: { changes?: Named; config?: MmditConfig } = {},
) {
  const files = { "weights.safetensors": weights, "io.safetensors": new Map([...io, ...expected, ...changes]) };
  await writeCase(root, { name, kind: "mmdit", config, files });
}

/** `out` with another value at its end. */
function spoilt(value: (right: number) => number): Named {
  const { shape, values } = expected.get("out")!;
  return new Map([["out", { shape, values: values.with(-1, value(values.at(-1)!)) }]]);
}

describe("a case fails", () => {
  test.each<[string, Named, RegExp]>([
    [
      "a value is wrong",
      spoilt((x) => x + 0.01),
      /^x \[mmdit\] fail: forward 1 of 4 fail, worst \S+ \(out: \S+ > \S+\)$/,
    ],
    ["a value is NaN", spoilt(() => NaN), /forward 1 of 4 fail, worst \(out: not a number\)$/],
    [
      "a tensor is shorter",
      new Map([["vec", { shape: [1, 2], values: new Float32Array(2) }]]),
      /vec: 10 values for 2\)$/,
    ],
    ["a tensor is not produced", new Map([["double.7.img", expected.get("out")!]]), /double.7.img: not produced\)$/],
  ])("if %s", async (_, changes, line) => {
    const root = temporaryRoot();
    await write(root, "x", { changes });
    const { isGood, lines, totals } = await run(root);
    expect(lines[0]).toMatch(line);
    expect(totals).toBe("0 passed, 1 failed, 0 skipped");
    expect(isGood).toBe(false);
  });
});

test("a case that cannot be run fails with one line, and the others run", async () => {
  const root = temporaryRoot();
  await write(root, "good");
  await write(root, "no-weights");
  await Deno.remove(join(root, "no-weights", "weights.safetensors"));
  await Deno.mkdir(join(root, "bad-json"));
  await Deno.writeTextFile(join(root, "bad-json", "case.json"), "{ \n");
  await write(root, "bad-config", { config: { ...CONFIG, num_heads: 0 } });
  await writeCase(root, {
    name: "no-tolerance",
    kind: "sampling",
    tolerances: {},
    files: { "io.safetensors": new Map() },
  });
  await writeCase(root, { name: "no-kind", kind: 7 as unknown as string });
  await Deno.mkdir(join(root, "no-case"));
  await Deno.writeTextFile(join(root, "README.md"), "not a folder");
  await write(root, "listed");
  const listed = join(root, "listed", "case.json");
  await Deno.writeTextFile(listed, (await Deno.readTextFile(listed)).replace('{"name":"out"', '{"name":"missing"'));

  const { isGood, lines, totals } = await run(root, join(root, "nowhere"));
  expect(isGood).toBe(false);
  expect(totals).toBe("1 passed, 7 failed, 0 skipped");
  const find = (name: string) => lines.find((line) => line.includes(name))!;
  for (const line of lines) expect(line).not.toContain("\n");
  expect(find("good [mmdit]")).toContain("] pass: ");
  expect(find("no-weights [mmdit]")).toMatch(/ fail: Cannot open ".*weights.safetensors": no such file/);
  expect(find("bad-json")).toMatch(/bad-json fail: Cannot read ".*case.json": /);
  expect(find("bad-config [mmdit]")).toContain("num_heads must be an integer from 1");
  expect(find("no-tolerance [sampling]")).toContain("tolerances.schedule must be an object");
  expect(find("no-kind")).toContain("kind must be text");
  expect(find("listed [mmdit]")).toContain(`it must have the tensors that are listed: no "missing"`);
  expect(find("nowhere")).toContain(" fail: Cannot list cases: ");
});

test("a kind that is not known is skipped by name, and does not count as passed", async () => {
  const root = temporaryRoot();
  await writeCase(root, { name: "new", kind: "toString" });
  const { isGood, lines, totals } = await run(root);
  expect(lines).toEqual([`new [toString] skip: unknown kind "toString"`]);
  expect(totals).toBe("0 passed, 0 failed, 1 skipped");
  expect(isGood).toBe(false);
});

test("a case with nothing to compare does not pass", async () => {
  const root = temporaryRoot();
  await writeCase(root, { name: "m", kind: "metrics", config: { pairs: [], niqe: [] } });
  const { isGood, lines, totals } = await run(root);
  expect(lines).toEqual(["m [metrics] skip: nothing to compare"]);
  expect(totals).toBe("0 passed, 0 failed, 1 skipped");
  expect(isGood).toBe(false);
});

test("an empty root is told and is no success", async () => {
  const root = temporaryRoot();
  const { isGood, lines, totals } = await run(root);
  expect(lines).toEqual([`${root}: no folder with a case.json`]);
  expect(totals).toBe("0 passed, 0 failed, 0 skipped");
  expect(isGood).toBe(false);
});
