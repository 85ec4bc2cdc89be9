import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape } from "./_shapes.ts";
import source from "./column_sum.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Rows that one thread adds up, few enough for processors to foresee what is read next; more take another level. */
const ROWS = 32;

const forms = byElem((elem) =>
  kernel({
    name: "column_sum",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params: { count: "u32", stride: "u32" },
  })
);

export const kernels = { forward_scalar: forms.scalar, forward_vec4: forms.vec4 };

/**
 * The sum of all rows: `x [..., N] -> [N]`, the same bits every time.
 * @throws {TypeError} if there are no rows
 */
export function columnSum(x: Tensor): Tensor {
  requireShape("column_sum", { x }, x.shape);
  const n = x.shape.at(-1) ?? 0;
  if (x.size === 0) throw new TypeError(`Cannot run "column_sum": x must have rows: it is ${show(x.shape)}`);
  const { kernel, lanes } = widest(forms, n);
  const y = scoped(x.gpu, () => {
    let level = x;
    let rows = sizeOf(x.shape.slice(0, -1));
    do {
      const parts = Math.ceil(rows / ROWS);
      const sums = empty(x.gpu, parts === 1 ? [n] : [parts, n]);
      x.gpu.run(kernel, {
        buffers: [level.buffer, sums.buffer],
        params: { count: rows * n / lanes, stride: parts * n / lanes },
        groups: groups1d(parts * n / lanes, WORKGROUP),
      });
      level = sums;
      rows = parts;
    } while (rows > 1);
    return level;
  });
  return record("column_sum", y, { inputs: [x] });
}
