/** Guards the structure of the repository: see CONTRIBUTING.md. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { Kernel } from "../packages/kernels/gpu/kernel.ts";

const ROOT = new URL("../", import.meta.url);

/** Paths below `folder`, relative to the repository, without dependencies and data. */
function files(folder: string): string[] {
  const url = new URL(`${folder}/`, ROOT);
  const entries = [...Deno.readDirSync(url)].filter(({ name }) =>
    !["node_modules", "results"].includes(name) && `${folder}/${name}` !== "tests/golden"
  );
  return entries.flatMap(({ name, isDirectory }) => isDirectory ? files(`${folder}/${name}`) : [`${folder}/${name}`])
    .sort();
}

function text(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

function exists(path: string): boolean {
  return existsSync(new URL(path, ROOT));
}

function code(path: string): string {
  return text(path).replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

const sources = [...files("packages"), ...files("bench")].filter((path) => /\.(ts|wgsl)$/.test(path));
const tests = files("tests");
const ops = sources.filter((path) => path.startsWith("packages/kernels/ops/"));

/** What each package may import; bench and tests may import all. */
const BELOW: Record<string, readonly string[]> = {
  kernels: [],
  core: ["kernels"],
  train: ["kernels", "core"],
  cli: ["kernels", "core", "train"],
};

/** What the imports of a file name. */
function specifiers(path: string): string[] {
  return [...code(path).matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, specifier = ""]) => specifier);
}

test("imports go down only, and never into another package's files", () => {
  const wrong: string[] = [];
  for (const path of sources.filter((path) => path.startsWith("packages/") && path.endsWith(".ts"))) {
    const home = path.split("/")[1] ?? "";
    for (const specifier of specifiers(path)) {
      const [, sibling] = specifier.match(/^@fluxsr\/([^/]+)/) ?? [];
      const target = new URL(specifier, new URL(path, ROOT)).href;
      const allowed = specifier.startsWith(".")
        ? target.startsWith(new URL(`packages/${home}/`, ROOT).href)
        : sibling
        ? BELOW[home]?.includes(sibling)
        : !/jax-js|tensorflow|vitest/.test(specifier);
      if (!allowed) wrong.push(`${path} imports ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no file imports, through others, itself", () => {
  const imported = new Map(
    sources.filter((path) => path.endsWith(".ts")).map((path) => {
      const relative = specifiers(path).filter((specifier) => specifier.startsWith("."));
      return [path, relative.map((each) => new URL(each, new URL(path, ROOT)).href.slice(ROOT.href.length))];
    }),
  );
  const circles: string[] = [];
  const open = new Set<string>();
  const walk = (path: string) => {
    if (open.has(path)) circles.push([...open, path].slice([...open].indexOf(path)).join(" -> "));
    if (open.has(path) || !imported.has(path)) return;
    open.add(path);
    for (const next of imported.get(path) ?? []) walk(next);
    open.delete(path);
    imported.delete(path);
  };
  for (const path of [...imported.keys()]) walk(path);
  expect(circles).toEqual([]);
});

test("every op has its .wgsl, its .ts and its test; a kernel's other ways are named after its op", () => {
  const stems = ops.filter((path) => /\/[^_/]+[^/]*\.wgsl$/.test(path)).map((path) => path.slice(0, -".wgsl".length));
  expect(stems.length).toBeGreaterThan(0);
  const isAnotherWay = (stem: string) => stems.some((op) => stem.startsWith(`${op}_`) && !exists(`${stem}.ts`));
  const wanted = stems.filter((stem) => !isAnotherWay(stem)).flatMap((stem) => [
    `${stem}.ts`,
    `tests/${stem.slice("packages/".length)}.test.ts`,
  ]);
  expect(wanted.filter((path) => !exists(path))).toEqual([]);
});

test("tests mirror the packages", () => {
  const folders = tests.filter((path) => path.endsWith(".test.ts")).map((path) =>
    path.split("/").slice(1, -1).join("/")
  );
  const mirrored = folders.filter((folder) => /^(kernels|core|train|cli)\b/.test(folder));
  expect([...new Set(mirrored)].filter((folder) => !exists(`packages/${folder}`))).toEqual([]);
});

test("no source or test file is longer than 300 lines, no shared WGSL chunk longer than 60 unless it is a kernel", () => {
  const lines = (path: string) => text(path).trimEnd().split("\n").length;
  const limit = (path: string) => /\/_[^/]*\.wgsl$/.test(path) && !text(path).includes("@" + "compute") ? 60 : 300;
  const all = [...sources, ...tests.filter((path) => path.endsWith(".ts"))];
  expect(all.filter((path) => lines(path) > limit(path)).map((path) => `${path}: ${lines(path)}`)).toEqual([]);
});

test("WGSL lives in .wgsl files only", () => {
  const scripts = [...sources, ...tests].filter((path) => path.endsWith(".ts"));
  expect(scripts.filter((path) => text(path).includes("@" + "compute"))).toEqual([]);
});

const kernels: Kernel[] = [];
for (const path of ops.filter((path) => path.endsWith(".ts"))) {
  const module = await import(new URL(path, ROOT).pathname);
  kernels.push(...Object.values<Kernel>(module.kernels ?? {}).filter(({ binds }) => binds));
}

test("every op exports its kernels", () => {
  const used = kernels.flatMap(({ sources }) => sources);
  const declared = ops.filter((path) => path.endsWith(".wgsl") && text(path).includes("@" + "compute"));
  expect(declared.filter((path) => !used.includes(text(path)))).toEqual([]);
});

test.each(kernels)("$name: $entry binds and takes what its WGSL declares", ({ sources, entry, binds, params }) => {
  const wgsl = sources.join("\n").replace(/\/\/.*$/gm, "");
  expect(wgsl).toMatch(new RegExp(`fn ${entry}\\(`));

  const [, fields = ""] = wgsl.match(/struct Params \{([^}]*)\}/) ?? [];
  const declared = [...fields.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => [name, type]);
  expect(Object.entries(params)).toEqual(declared);

  const variables = [...wgsl.matchAll(
    /@group\(0\)\s*@binding\((\d+)\)\s*var<storage(?:,\s*(read|read_write))?>\s*(\w+)/g,
  )].map(([, binding, access = "read", name]) => `${binding} ${access} ${name}`);
  const wanted = Object.entries(binds).map(([name, access], binding) =>
    `${binding} ${access === "read" ? "read" : "read_write"} ${name}`
  );
  expect(wanted.filter((variable) => !variables.includes(variable))).toEqual([]);
});
