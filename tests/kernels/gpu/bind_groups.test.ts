import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { BindGroups } from "../../../packages/kernels/gpu/bind_groups.ts";
import { gpu } from "../../helpers/gpu.ts";

const buffers = [1, 2, 3].map(() => gpu.buffers.acquire(16));
const [a, b, c] = buffers as [typeof buffers[0], typeof buffers[0], typeof buffers[0]];
afterAll(() => buffers.forEach((buffer) => gpu.buffers.release(buffer)));

/** The layout of `count` buffers that are written. */
function layoutOf(count: number): GPUBindGroupLayout {
  return gpu.device.createBindGroupLayout({
    entries: Array.from({ length: count }, (_, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "storage" },
    })),
  });
}

let groups: BindGroups;
beforeEach(() => {
  groups = new BindGroups(gpu.device);
});

test("the same buffers in the same layout give the same group", () => {
  const create = vi.spyOn(gpu.device, "createBindGroup");
  const layout = layoutOf(2);
  const group = groups.get(layout, [a, b], "first");
  expect(groups.get(layout, [a, b], "second")).toBe(group);
  expect(create).toHaveBeenCalledTimes(1);
  expect(group.label).toBe("first");
});

test("other buffers, another order, another number and another layout give other groups", () => {
  const layouts = [layoutOf(2), layoutOf(2), layoutOf(3), layoutOf(0)] as const;
  const all = [
    groups.get(layouts[0], [a, b], ""),
    groups.get(layouts[0], [b, a], ""),
    groups.get(layouts[0], [a, c], ""),
    groups.get(layouts[1], [a, b], ""),
    groups.get(layouts[2], [a, b, c], ""),
    groups.get(layouts[3], [], ""),
  ];
  expect(new Set(all).size).toBe(all.length);
});
