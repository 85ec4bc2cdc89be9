import { expect, test } from "vitest";
import type { Named } from "../../core/nn/_random_weights.ts";
import { random } from "../../helpers/gpu.ts";
import { slope } from "../../reference/central_differences.ts";
import { cosineToMean } from "../../reference/cosine_to_mean.ts";
import { run, temporaryRoot, writeCase } from "./_write_case.ts";

const TOLERANCES = { forward: { rtol: 1e-5, atol: 1e-7 }, grads: { rtol: 1e-4, atol: 1e-9 } };

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A random case: what `io.safetensors` has, from plain formulas and central differences. */
function randomCase({ layers, eps, shape }: { layers: number; eps: number; shape: readonly number[] }): Named {
  const features = Array.from({ length: layers }, (_, i) => random(shape, i + 1));
  const cosines = features.map((x) => cosineToMean(x, shape, eps));
  const io: Named = new Map();
  const set = (name: string, shape: readonly number[], values: Iterable<number>) =>
    io.set(name, { shape, values: Float32Array.from(values) });
  features.forEach((x, i) => {
    set(`features.${i}`, shape, x);
    set(`cosine.${i}`, shape.slice(0, 2), cosines[i]!);
    const loss = (at: number, distance: number) =>
      mean(cosineToMean(Float64Array.from(x).with(at, x[at]! + distance), shape, eps)) / layers;
    set(`grad.features.${i}`, shape, [...x].map((_, at) => slope((distance) => loss(at, distance))));
  });
  set("adl_layers", [layers], cosines.map(mean));
  return set("adl", [1], [mean(cosines.map(mean))]);
}

test("adl: other sizes, one layer, another eps", async () => {
  const root = temporaryRoot();
  const cases = {
    one: { layers: 1, eps: 1e-8, shape: [1, 3, 5] },
    more: { layers: 4, eps: 0.01, shape: [3, 13, 2] },
  };
  for (const [name, config] of Object.entries(cases)) {
    const files = { "io.safetensors": randomCase(config) };
    await writeCase(root, { name, kind: "adl", config, files, tolerances: TOLERANCES });
  }
  const { lines, totals } = await run(root);
  expect([...lines.filter((line) => !line.includes("] pass: ")), totals]).toEqual(["2 passed, 0 failed, 0 skipped"]);
});

test("adl: a wrong gradient fails", async () => {
  const root = temporaryRoot();
  const config = { layers: 2, eps: 1e-8, shape: [1, 3, 5] };
  const io = randomCase(config);
  io.get("grad.features.1")!.values[7]! *= 1.01;
  await writeCase(root, {
    name: "wrong",
    kind: "adl",
    config,
    files: { "io.safetensors": io },
    tolerances: TOLERANCES,
  });
  const { lines } = await run(root);
  expect(lines[0]).toMatch(/fail: forward .*, grads 1 of 2 fail, worst \S+ \(grad.features.1: /);
});
