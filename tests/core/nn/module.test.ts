import { tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { Linear } from "../../../packages/core/nn/linear.ts";
import { Module, Parameter } from "../../../packages/core/nn/module.ts";
import { gpu } from "../../helpers/gpu.ts";

class Inner extends Module {
  readonly 0 = new Linear(2, 3);
  readonly scale = new Parameter([3]);
}

class Outer extends Module {
  readonly blocks = [new Inner(), new Inner()];
  readonly adaLN_modulation = { 1: new Linear(2, 2, { bias: false }) };
  readonly #width = 3;

  get width() {
    return this.#width;
  }
}

test("parameters() are named by their paths, through lists and plain objects", () => {
  expect([...new Outer().parameters()].map(([name]) => name)).toEqual([
    "blocks.0.0.weight",
    "blocks.0.0.bias",
    "blocks.0.scale",
    "blocks.1.0.weight",
    "blocks.1.0.bias",
    "blocks.1.scale",
    "adaLN_modulation.1.weight",
  ]);
});

test("modules() are named by their paths and begin with the module itself", () => {
  const outer = new Outer();
  const names = [...outer.modules()].map(([name]) => name);
  expect(names).toEqual(["", "blocks.0", "blocks.0.0", "blocks.1", "blocks.1.0", "adaLN_modulation.1"]);
});

test("a parameter frees the tensor that another one replaces", () => {
  const parameter = new Parameter([4]);
  const before = gpu.memory.live;
  expect(() => parameter.tensor).toThrow("its weights are not loaded");
  parameter.tensor = tensor(gpu, new Float32Array(4), [4]);
  parameter.tensor = tensor(gpu, new Float32Array(4), [4]);
  parameter.dispose();
  parameter.dispose();
  expect(gpu.memory.live).toBe(before);
});
