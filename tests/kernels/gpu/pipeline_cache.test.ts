import { empty, GpuError, kernel, read } from "@fluxsr/kernels";
import { afterEach, describe, expect, test, vi } from "vitest";
import { kernels } from "../../../packages/kernels/ops/elementwise.ts";
import { gpu } from "../../helpers/gpu.ts";
import mistyped from "./mistyped.wgsl" with { type: "text" };
import undeclared from "./undeclared.wgsl" with { type: "text" };

afterEach(() => {
  vi.restoreAllMocks();
});

function broken(name: string, sources: string[]) {
  return kernel({ name, sources, entry: "forward", binds: { y: "write" } });
}

async function failureOf(spec: ReturnType<typeof broken>): Promise<Error> {
  using y = empty(gpu, [1]);
  gpu.run(spec, { buffers: [y.buffer], params: {}, groups: [1, 1, 1] });
  return await read(y).then(() => new Error("no failure"), (error) => error);
}

describe("a compile error", () => {
  test("names the kernel, and line and text of its WGSL over all chunks", async () => {
    const failure = await failureOf(broken("undeclared", ["// one\n// two", undeclared]));
    expect(failure).toBeInstanceOf(GpuError);
    expect(failure.message).toMatch(
      /^Cannot compile kernel "undeclared": line 9:10: .*undeclared.*: y\[0\] = undeclared \+ 1\.0;$/,
    );
  });

  test("is one line that keeps the reasons, for code that parses but is not valid", async () => {
    const failure = await failureOf(broken("mistyped", [mistyped]));
    expect(failure.message).toMatch(/^Cannot compile kernel "mistyped": line 7:11: .*Add.*: let x = .*;$/);
  });

  test("names the kernel where the shader is fine but lacks the entry point", async () => {
    const failure = await failureOf(
      kernel({ name: "lost", sources: kernels.affine.sources, entry: "nowhere", binds: { y: "write" } }),
    );
    expect(failure.message).toMatch(/^Cannot compile kernel "lost": .*nowhere/);
  });

  test("does not touch other work", async () => {
    await failureOf(broken("again", [undeclared]));
    using x = empty(gpu, [1]);
    gpu.write(x.buffer, new Float32Array([3]));
    expect(await read(x)).toEqual([new Float32Array([3])]);
  });
});

describe("compiled kernels", () => {
  function affine(constants: Record<string, number>) {
    using x = empty(gpu, [1]);
    using y = empty(gpu, [1]);
    gpu.run({ ...kernels.affine, constants }, {
      buffers: [x.buffer, y.buffer],
      params: { count: 1, alpha: 1, beta: 0 },
      groups: [1, 1, 1],
    });
  }

  test("are shared by text, entry and constants", async () => {
    const compile = vi.spyOn(gpu.device, "createComputePipeline");
    affine({ WORKGROUP: 16 });
    affine({ WORKGROUP: 16 });
    expect(compile).toHaveBeenCalledTimes(1);
    affine({ WORKGROUP: 32 });
    expect(compile).toHaveBeenCalledTimes(2);
    await gpu.sync();
  });
});
