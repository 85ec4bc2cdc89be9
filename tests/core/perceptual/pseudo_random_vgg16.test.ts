import { pseudoRandomVgg16 } from "@fluxsr/core";
import { expect, test } from "vitest";

/** The first four of the golden case `lpips-vgg16`, which lists more. */
test.each([
  ["features.0.weight", [64, 3, 3, 3], 1, [
    0.06919990479946136,
    0.08333844691514969,
    0.1924591362476349,
    0.4032987356185913,
  ]],
  ["features.0.bias", [64], 2, [
    -0.005246920511126518,
    -0.008536220528185368,
    -0.006703164894133806,
    -0.006521808449178934,
  ]],
  ["lin4", [512], 31, [0.00120683410204947, 0.0015640760539099574, 0.0018800728721544147, 0.00011081928823841736]],
])("pseudoRandomVgg16() makes %s %j from seed %i", async (name, shape, seed, first) => {
  const source = pseudoRandomVgg16(new Map([[name, shape]]), { seeds: new Map([[name, seed]]) });
  expect([...(await source.readF32(name)).subarray(0, 4)]).toEqual(first);
  expect(source.tensors.get(name)).toEqual({ dtype: "F32", shape });
});

test("pseudoRandomVgg16() counts seeds from 1", async () => {
  const [a, b] = [new Map([["a.bias", [3]], ["b.bias", [3]]]), new Map([["b.bias", [3]]])];
  const seeded = pseudoRandomVgg16(b, { seeds: new Map([["b.bias", 2]]) });
  expect(await pseudoRandomVgg16(a).readF32("b.bias")).toEqual(await seeded.readF32("b.bias"));
});
