import type { PooledBuffer } from "./buffer_pool.ts";

/** Groups that begin with the same buffers, and the one that these buffers are all of. */
interface Branch {
  readonly longer: WeakMap<PooledBuffer, Branch>;
  group?: GPUBindGroup;
}

/**
 * Bind groups by layout and buffers, each made when it is first asked for.
 *
 * A tree, one buffer a level, since a key of them all would cost more to make than to find. Buffers hold the branches
 * under them: with a buffer that is gone go its groups.
 */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #roots = new WeakMap<GPUBindGroupLayout, Branch>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The group in which binding i is `buffers[i]`; `label` names it if it is new. */
  get(layout: GPUBindGroupLayout, buffers: readonly PooledBuffer[], label: string): GPUBindGroup {
    let branch = branchOf(this.#roots, layout);
    for (const buffer of buffers) branch = branchOf(branch.longer, buffer);
    return branch.group ??= this.#device.createBindGroup({
      label,
      layout,
      entries: buffers.map(({ raw, offset, size }, binding) => ({ binding, resource: { buffer: raw, offset, size } })),
    });
  }
}

function branchOf<K extends object>(branches: WeakMap<K, Branch>, key: K): Branch {
  let branch = branches.get(key);
  if (!branch) branches.set(key, branch = { longer: new WeakMap() });
  return branch;
}
