import type { KernelFeature } from "./features.ts";

/** How an entry point uses a storage buffer; `write` and `read_write` are both `var<storage, read_write>` in WGSL. */
export type Access = "read" | "write" | "read_write";
/** The type of a field of the uniform `Params` struct. */
export type ParamType = "u32" | "i32" | "f32";

/**
 * A kernel as plain data: the runtime makes layout, pipeline, uniform packing and labels from it.
 *
 * The WGSL convention: storage buffers are `@group(0) @binding(i)` in the order of `binds`; the scalars of `params` are,
 * in order, the fields of one struct at `@group(1) @binding(0) var<uniform> params: Params`.
 */
export interface Kernel<B extends string = string, P extends string = string> {
  readonly name: string;
  /** WGSL chunks, concatenated. */
  readonly sources: readonly string[];
  readonly entry: string;
  readonly binds: Readonly<Record<B, Access>>;
  readonly params: Readonly<Record<P, ParamType>>;
  /** `binds` and `params` as lists, which every dispatch goes through. */
  readonly accesses: readonly Access[];
  readonly fields: readonly (readonly [P, ParamType])[];
  /** Values of `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** What it needs beyond core WebGPU; the runtime writes the `enable` lines that the compiler wants for it. */
  readonly features: readonly KernelFeature[];
  /** Floating-point operations of a dispatch, of kernels that are bound by them: a multiply-add is two. */
  readonly flops?: (params: Readonly<Record<P, number>>, groups: Groups) => number;
}

/** Declares a {@linkcode Kernel}; `constants` and `features` default to none. */
export function kernel<B extends string, P extends string = never>(
  spec: Omit<Kernel<B, P>, "constants" | "features" | "params" | "accesses" | "fields"> & {
    params?: Readonly<Record<P, ParamType>>;
    constants?: Readonly<Record<string, number>>;
    features?: readonly KernelFeature[];
  },
): Kernel<B, P> {
  const params = spec.params ?? {} as Readonly<Record<P, ParamType>>;
  return {
    constants: {},
    features: [],
    ...spec,
    params,
    accesses: Object.values(spec.binds),
    fields: Object.entries(params) as [P, ParamType][],
  };
}

/** Bytes that one dispatch's params take in the uniform arena; no kernel has more scalars than fit. */
export const PARAM_STRIDE = 256;

/** Writes `values` into `view` at `offset` in the order and types of `spec.params`. */
export function packParams<P extends string>(
  spec: Kernel<string, P>,
  values: Readonly<Record<P, number>>,
  view: DataView,
  offset: number,
): void {
  let at = offset;
  for (const [field, type] of spec.fields) {
    const value = values[field];
    if (type === "f32" && !Number.isNaN(Number(value))) view.setFloat32(at, value, true);
    else if (type === "u32" && value === value >>> 0) view.setUint32(at, value, true);
    else if (type === "i32" && value === (value | 0)) view.setInt32(at, value, true);
    else throw new RangeError(`Cannot run "${spec.name}": param "${field}" must be a valid ${type}: value is ${value}`);
    at += 4;
  }
}

/** Workgroup counts along x, y and z. */
export type Groups = readonly [number, number, number];

/** The most workgroups that WebGPU guarantees along one dimension. */
const MAX_GROUPS = 65535;

/**
 * Workgroups for `threads` invocations in workgroups of `size`: spread over x and y, since one dimension holds 65535.
 * The kernel computes its index as `id.x + id.y * num_workgroups.x * size` and checks it against the count.
 */
export function groups1d(threads: number, size: number): Groups {
  const groups = Math.max(1, Math.ceil(threads / size));
  if (groups <= MAX_GROUPS) return [groups, 1, 1];
  const rows = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / rows), rows, 1];
}
