import { type Access, groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ACTIVATIONS } from "./_activation.ts";
import { type Activation, type Epilogue, storeOf } from "./_product.ts";
import aScalar from "./_read_a_scalar.wgsl" with { type: "text" };
import aVec4 from "./_read_a_vec4.wgsl" with { type: "text" };
import source from "./matmul_parts.wgsl" with { type: "text" };

const WORKGROUP = 64;

const BINDS: Readonly<Record<string, Access>> = { a: "read", b: "read", bias: "read", addend: "read", c: "write" };

interface Variant {
  readonly aligned: boolean;
  readonly addend: boolean;
  readonly gated: boolean;
  readonly activation: Activation | "none";
}

const variant = variants(({ aligned, addend, gated, activation }: Variant) =>
  kernel({
    name: "matmul.parts",
    sources: [aligned ? aVec4 : aScalar, ...storeOf({ aligned, gated }), source],
    entry: "forward",
    binds: gated ? { ...BINDS, gate: "read" } : BINDS,
    params: { m: "u32", n: "u32", rows: "u32", parts: "u32", alpha: "f32", has_bias: "u32", gate_rows: "u32" },
    constants: { WORKGROUP, HAS_ADDEND: Number(addend), ACTIVATION: ACTIVATIONS[activation] },
  })
);

/** A plain variant, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  forward: variant({ aligned: true, addend: false, gated: false, activation: "none" }),
};

/** Writes the sum of the `parts` [B, parts, M, N] of a product to `c` [..., M, N], with all that `options` apply to it. */
export function addParts([parts, c]: readonly [Tensor, Tensor], options: Epilogue): void {
  const { alpha = 1, bias, addend, activation, residual } = options;
  const [batches = 0, count = 0, m = 0, n = 0] = parts.shape;
  const chosen: Variant = {
    aligned: n % 4 === 0,
    addend: addend !== undefined,
    gated: residual !== undefined,
    activation: activation ?? "none",
  };
  c.gpu.run(variant(chosen), {
    buffers: [parts, parts, bias ?? parts, residual?.to ?? addend ?? parts, c, ...residual ? [residual.gate] : []]
      .map(({ buffer }) => buffer),
    params: {
      m,
      n,
      rows: batches * m,
      parts: count,
      alpha,
      has_bias: Number(bias !== undefined),
      gate_rows: c.shape.at(-2) ?? 1,
    },
    groups: groups1d(batches * m * Math.ceil(n / 4), WORKGROUP),
  });
}
