import { groups1d, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { scoped } from "../tensor/scope.ts";
import { tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { lanesOf, lanesRow } from "./_lanes_row.ts";
import mat4 from "./_pairs_mat4.wgsl" with { type: "text" };
import vec4 from "./_pairs_vec4.wgsl" with { type: "text" };
import { requireShape, sizes } from "./_shapes.ts";
import { type Team, teamGroups, teamOf, teamSum } from "./_team.ts";
import { rmsNorm } from "./rms_norm.ts";
import source from "./rms_norm_rope.wgsl" with { type: "text" };
import lanesSource from "./rms_norm_rope_lanes.wgsl" with { type: "text" };
import { rope, type RopeTables, tableRows } from "./rope.ts";

/** Threads of a workgroup of lanes. */
const WORKGROUP = 64;

const binds = { x: "read", scale: "read", cosines: "read", sines: "read", y: "write" } as const;
const places = { heads: "u32", length: "u32", first: "u32", table_step: "u32" } as const;

const byTeam = variants(({ team, workgroup }: Team) =>
  kernel({
    name: "rms_norm_rope",
    sources: [vec4, teamSum, source],
    entry: "forward",
    binds,
    params: { rows: "u32", width: "u32", ...places, eps: "f32" },
    constants: { TEAM: team, WORKGROUP: workgroup },
  })
);
const byLanes = variants(({ lanes }: { lanes: number }) =>
  kernel({
    name: "rms_norm_rope",
    sources: [mat4, lanesRow, lanesSource],
    entry: "forward",
    binds,
    params: { tokens: "u32", ...places, share: "f32", eps: "f32" },
    constants: { TEAM: lanes, WORKGROUP },
    features: ["subgroups"],
  })
);

export const kernels = { forward: byTeam({ team: 8, workgroup: 64 }), forward_lanes: byLanes({ lanes: 8 }) };

/**
 * {@linkcode rope} of {@linkcode rmsNorm}, as queries and keys are prepared: `x [B, L, H, D], scale [D] -> [B, L, H, D]`.
 * @throws {TypeError} if shapes do not fit or D is odd
 */
export function rmsNormRope(
  x: Tensor,
  { scale, eps = 1e-6, ...tables }: RopeTables & { scale: Tensor; eps?: number },
): Tensor {
  const [batches, length, heads, width] = sizes("rms_norm_rope", x, ["B", "L", "H", "D"]);
  if (width % 4 !== 0 || tracked(x) || tracked(scale)) {
    return scoped(x.gpu, () => rope(rmsNorm(x, { scale, eps }), tables));
  }
  requireShape("rms_norm_rope", { scale }, [width]);
  const y = empty(x.gpu, x.shape);
  const buffers = [x, scale, tables.cos, tables.sin, y].map(({ buffer }) => buffer);
  const tokens = batches * length;
  const common = { heads, length, ...tableRows(x, tables), eps };
  const lanes = lanesOf(x.gpu, width);
  if (lanes) {
    x.gpu.run(byLanes({ lanes }), {
      buffers,
      params: { ...common, tokens, share: 1 / width },
      groups: groups1d(tokens * lanes, WORKGROUP),
    });
  } else {
    const rows = tokens * heads;
    const team = teamOf(x.gpu, width / 4);
    x.gpu.run(byTeam(team), {
      buffers,
      params: { ...common, rows, width: width / 4 },
      groups: teamGroups(team, rows),
    });
  }
  return y;
}
