import { kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import { type Team, teamGroups, teamOf, teamSum } from "./_team.ts";
import { rmsNorm } from "./rms_norm.ts";
import source from "./rms_norm_rope.wgsl" with { type: "text" };
import { rope, type RopeTables, tableRows } from "./rope.ts";

const variant = variants(({ team, workgroup }: Team) =>
  kernel({
    name: "rms_norm_rope",
    sources: [teamSum, source],
    entry: "forward",
    binds: { x: "read", scale: "read", cosines: "read", sines: "read", y: "write" },
    params: {
      rows: "u32",
      width: "u32",
      heads: "u32",
      length: "u32",
      first: "u32",
      table_step: "u32",
      eps: "f32",
    },
    constants: { TEAM: team, WORKGROUP: workgroup },
  })
);

export const kernels = { forward: variant({ team: 8, workgroup: 64 }) };

/**
 * {@linkcode rope} of {@linkcode rmsNorm}, as queries and keys are prepared: `x [B, L, H, D], scale [D] -> [B, L, H, D]`.
 * @throws {TypeError} if shapes do not fit or D is odd
 */
export function rmsNormRope(
  x: Tensor,
  { scale, eps = 1e-6, ...tables }: RopeTables & { scale: Tensor; eps?: number },
): Tensor {
  const [, length, heads, width] = sizes("rms_norm_rope", x, ["B", "L", "H", "D"]);
  if (width % 4 !== 0 || tracked(x) || tracked(scale)) return rope(rmsNorm(x, { scale, eps }), tables);
  requireShape("rms_norm_rope", { scale }, [width]);
  const y = empty(x.gpu, x.shape);
  const rows = x.size / width;
  const team = teamOf(x.gpu, width / 4);
  x.gpu.run(variant(team), {
    buffers: [x, scale, tables.cos, tables.sin, y].map(({ buffer }) => buffer),
    params: { rows, width: width / 4, heads, length, ...tableRows(x, tables), eps },
    groups: teamGroups(team, rows),
  });
  return y;
}
