import { DryGpu, type Dtype, empty, type Gpu, rowMultiple, type Tensor, tensor } from "@fluxsr/kernels";
import { checkFinite, checkParameters } from "../weights/check.ts";
import { dequantize, isReadableDtype, type ReadableDtype } from "../weights/dequantize.ts";
import type { StoredTensor, WeightSource } from "../weights/weight_source.ts";
import type { Module, Parameter } from "./module.ts";

/** How weights are kept on the GPU: as they are in the file, or all in f32. */
export type Precision = "native" | "f32";

const PACKED: Readonly<Record<ReadableDtype, Dtype>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  F8_E4M3: "f8_e4m3",
  Q8_0: "q8_0",
  Q4_0: "q4_0",
  Q4_K: "q4_k",
  Q5_K: "q5_k",
};

/** Bytes of staging memory after which an upload is waited for: WebGPU keeps it until the queue has run. */
const STAGING = 256 * 2 ** 20;

/**
 * Loads all parameters of `module` from `source`, whose names are the property paths.
 *
 * Names and shapes are checked before anything is read; tensors are read one at a time. On a {@linkcode DryGpu}, which
 * holds nothing, they are not read at all.
 * @throws {InputError} if a tensor is missing, unknown, has another shape or dtype, or is not finite
 */
export async function loadModule(
  gpu: Gpu,
  module: Module,
  { source, precision }: { source: WeightSource; precision: Precision },
): Promise<void> {
  const parameters = new Map(module.parameters());
  checkParameters(source, new Map([...parameters].map(([name, { shape }]) => [name, shape])));
  let staged = 0;
  try {
    for (const [name, parameter] of parameters) {
      if (gpu instanceof DryGpu) {
        const dtype = source.tensors.get(name)?.dtype ?? "F32";
        parameter.tensor = empty(gpu, storedShape(parameter), storedDtype(parameter, { dtype, precision }));
        continue;
      }
      const stored = await source.read(name);
      parameter.tensor = upload(gpu, { name, parameter, stored, precision });
      staged += stored.bytes.byteLength;
      if (staged > STAGING) {
        await gpu.sync();
        staged = 0;
      }
    }
  } catch (error) {
    module.dispose();
    throw error;
  }
}

function upload(
  gpu: Gpu,
  { name, parameter, stored, precision }: {
    name: string;
    parameter: Parameter;
    stored: StoredTensor;
    precision: Precision;
  },
): Tensor {
  const { dtype, bytes, scale } = stored;
  if (!isReadableDtype(dtype)) throw new TypeError(`Cannot load "${name}": dtype is ${dtype}`);
  checkFinite(name, { dtype, bytes });
  const { shape, axes } = parameter;
  const packed = storedDtype(parameter, { dtype, precision });
  if (packed !== "f32") return tensor(gpu, packed === "f8_e4m3" ? withScale(bytes, scale) : bytes, shape, packed);
  const values = dequantize(bytes, { dtype, scale });
  return tensor(gpu, axes ? permuted(values, shape, axes) : values, storedShape(parameter));
}

/** The data of an f8_e4m3 tensor: the scale, then the elements. */
function withScale(bytes: Uint8Array, scale = 1): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(4 + bytes.length);
  new DataView(data.buffer).setFloat32(0, scale, true);
  data.set(bytes, 4);
  return data;
}

/** Kernels read packed rows that are whole blocks, four elements at a time. */
function storedDtype(
  { shape, packable }: Parameter,
  { dtype, precision }: { dtype: string; precision: Precision },
): Dtype {
  if (!packable || precision !== "native" || !isReadableDtype(dtype)) return "f32";
  const packed = PACKED[dtype];
  return (shape.at(-1) ?? 0) % rowMultiple(packed) === 0 ? packed : "f32";
}

function storedShape({ shape, axes }: Parameter): readonly number[] {
  return axes ? axes.map((axis) => shape[axis] ?? 0) : shape;
}

/** `values` of `shape` with axes in another order. */
export function permuted(
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = axes.map((axis) => shape[axis] ?? 0);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const result = new Float32Array(values.length);
  let at = 0;
  const copy = (depth: number, from: number): void => {
    const [size = 0, step = 0] = [sizes[depth], steps[depth]];
    for (let i = 0; i < size; i++) {
      if (depth === sizes.length - 1) result[at++] = values[from + i * step] ?? 0;
      else copy(depth + 1, from + i * step);
    }
  };
  copy(0, 0);
  return result;
}
