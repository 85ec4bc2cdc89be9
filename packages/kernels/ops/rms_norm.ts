import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { lanesOf, lanesRow } from "./_lanes_row.ts";
import { requireShape } from "./_shapes.ts";
import { stripOf, type Team, teamGroups, teamOf, teamSum } from "./_team.ts";
import { columnSum } from "./column_sum.ts";
import source from "./rms_norm.wgsl" with { type: "text" };
import lanesSource from "./rms_norm_lanes.wgsl" with { type: "text" };

/** Threads of a workgroup of lanes, and of the gradients. */
const WORKGROUP = 64;
/** Rows that a team of lanes takes. */
const LANE_STRIP = 32;

const params = { rows: "u32", width: "u32", strips: "u32", share: "f32", eps: "f32" } as const;
const laneParams = { rows: "u32", strip: "u32", share: "f32", eps: "f32" } as const;

/** Which gradients are wanted. */
interface Wanted {
  readonly x: boolean;
  readonly scale: boolean;
}

const wantedConstants = (wanted: Wanted) => ({ WITH_X: Number(wanted.x), WITH_SCALE: Number(wanted.scale) });

const forward = variants(({ team, workgroup }: Team) =>
  byElem((elem) =>
    kernel({
      name: "rms_norm",
      sources: [elem, teamSum, source],
      entry: "forward",
      binds: { x: "read", scale: "read", y: "write" },
      params,
      constants: { TEAM: team, WORKGROUP: workgroup },
    })
  )
);
const backwardRows = variants(({ team, workgroup }: Team) =>
  byElem((elem) =>
    kernel({
      name: "rms_norm.backward_rows",
      sources: [elem, teamSum, source],
      entry: "backward_rows",
      binds: { x: "read", scale: "read", dy: "read", lines: "write" },
      params,
      constants: { TEAM: team, WORKGROUP: workgroup },
    })
  )
);
const backward = variants((wanted: Wanted) =>
  byElem((elem) =>
    kernel({
      name: "rms_norm.backward",
      sources: [elem, teamSum, source],
      entry: "backward",
      binds: { x: "read", scale: "read", dy: "read", known: "read", dx: "write", parts: "write" },
      params,
      constants: { WORKGROUP, ...wantedConstants(wanted) },
    })
  )
);

const laneForward = variants(({ team }: { team: number }) =>
  kernel({
    name: "rms_norm",
    sources: [lanesRow, lanesSource],
    entry: "forward",
    binds: { x: "read", scale: "read", y: "write" },
    params: laneParams,
    constants: { WORKGROUP, TEAM: team },
    features: ["subgroups"],
  })
);
const laneBackward = variants(({ team, x, scale }: Wanted & { team: number }) =>
  kernel({
    name: "rms_norm.backward",
    sources: [lanesRow, lanesSource],
    entry: "backward",
    binds: { x: "read", scale: "read", dy: "read", dx: "write", parts: "write" },
    params: laneParams,
    constants: { WORKGROUP, TEAM: team, ...wantedConstants({ x, scale }) },
    features: ["subgroups"],
  })
);

const alone = { team: 1, workgroup: 8 };
const shared = { team: 64, workgroup: 64 };
const all = { x: true, scale: true };

/** Some variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  forward_scalar: forward(alone).scalar,
  forward_vec4: forward(shared).vec4,
  forward_lanes: laneForward({ team: 8 }),
  backward_rows_scalar: backwardRows(alone).scalar,
  backward_rows_vec4: backwardRows(shared).vec4,
  backward_scalar: backward(all).scalar,
  backward_vec4: backward(all).vec4,
  backward_lanes: laneBackward({ team: 8, ...all }),
};

/** The teams of rows of `width`, which go by four where they can. */
function teamOfRow({ gpu }: Tensor, width: number): Team {
  return teamOf(gpu, width % 4 === 0 ? width / 4 : width);
}

/** What both passes take. */
interface Operands {
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly eps: number;
}

/**
 * `scale x / sqrt(mean(x^2) + eps)` over rows of D: `x [..., D], scale [D] -> [..., D]`.
 * @throws {TypeError} if shapes do not fit
 */
export function rmsNorm(x: Tensor, { scale, eps = 1e-6 }: { scale: Tensor; eps?: number }): Tensor {
  const width = x.shape.at(-1) ?? 1;
  requireShape("rms_norm", { scale }, [width]);
  requireShape("rms_norm", { x }, x.shape);
  const y = empty(x.gpu, x.shape);
  const rows = x.size / width;
  const buffers = [x, scale, y].map(({ buffer }) => buffer);
  const lanes = lanesOf(x.gpu, width);
  if (lanes) {
    x.gpu.run(laneForward({ team: lanes }), {
      buffers,
      params: { rows, strip: LANE_STRIP, share: 1 / width, eps },
      groups: groups1d(Math.ceil(rows / LANE_STRIP) * lanes, WORKGROUP),
    });
  } else {
    const team = teamOfRow(x, width);
    const form = widest(forward(team), width);
    x.gpu.run(form.kernel, {
      buffers,
      params: { rows, width: width / form.lanes, strips: 0, share: 1 / width, eps },
      groups: teamGroups(team, rows),
    });
  }
  const wanted = { x: tracked(x), scale: tracked(scale) };
  return record("rms_norm", y, {
    inputs: [x, scale],
    saved: [x, scale],
    backward: (dy) => {
      requireShape("rms_norm", { dy }, x.shape);
      return gradients(dy, { x, scale, eps }, wanted);
    },
  });
}

/** Of the gradients of x and scale those that are wanted. */
function gradients(dy: Tensor, { x, scale, eps }: Operands, wanted: Wanted): [Tensor | undefined, Tensor | undefined] {
  const width = scale.size;
  const rows = x.size / width;
  const share = 1 / width;
  const lanes = lanesOf(x.gpu, width);
  const strip = lanes ? LANE_STRIP : stripOf(x.gpu);
  const strips = Math.ceil(rows / strip);
  // What is not wanted is not written, but needs a buffer of its own all the same.
  const dx = empty(x.gpu, wanted.x ? x.shape : [1]);
  const parts = empty(x.gpu, wanted.scale ? [strips, width] : [1]);
  const buffersOf = (...tensors: Tensor[]) => tensors.map(({ buffer }) => buffer);
  if (lanes) {
    x.gpu.run(laneBackward({ ...wanted, team: lanes }), {
      buffers: buffersOf(x, scale, dy, dx, parts),
      params: { rows, strip, share, eps },
      groups: groups1d(strips * lanes, WORKGROUP),
    });
  } else {
    const lines = empty(x.gpu, [rows, 2]);
    const team = teamOfRow(x, width);
    const each = widest(backwardRows(team), width);
    const params = { rows, width: width / each.lanes, strips, share, eps };
    x.gpu.run(each.kernel, {
      buffers: buffersOf(x, scale, dy, lines),
      params,
      groups: teamGroups(team, rows),
    });
    x.gpu.run(widest(backward(wanted), width).kernel, {
      buffers: buffersOf(x, scale, dy, lines, dx, parts),
      params,
      groups: groups1d(strips * params.width, WORKGROUP),
    });
  }
  return [wanted.x ? dx : undefined, wanted.scale ? columnSum(parts) : undefined];
}
