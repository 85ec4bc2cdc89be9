import proto, { type onnx } from "onnx-proto";
import { InputError } from "../errors.ts";
import { ioError } from "../files/read.ts";
import { bytesPerElement, fromF32, type WeightDtype } from "./dtypes/dtype.ts";
import { quote, showShape } from "../files/messages.ts";
import { type StoredTensor, type WeightSource, weightSource } from "./weight_source.ts";

/** Weight dtypes by their number in `TensorProto.DataType`, https://onnx.ai/onnx/repo-docs/IR.html. */
const DTYPES: Readonly<Record<number, WeightDtype>> = { 1: "F32", 10: "F16", 16: "BF16" };

/** `TensorProto.DataLocation.EXTERNAL` */
const EXTERNAL = 1;

/**
 * Opens the weights in an ONNX model: the initializers that are F32, F16 or BF16. The file is read as a whole.
 * @throws {InputError} if it cannot be read, is no ONNX model, or keeps weights in other files
 */
export async function openOnnx(path: string): Promise<WeightSource> {
  const tensors = new Map<string, OnnxTensor>();
  for (const initializer of (await readGraph(path)).initializer ?? []) {
    const { name, dims, dataType, dataLocation } = initializer;
    const dtype = DTYPES[dataType ?? 0];
    if (!dtype || !name) continue;
    if (dataLocation === EXTERNAL) {
      throw new InputError(`Cannot open ${quote(path)}: tensors must be in the file: ${quote(name)} is in another`, {
        hint: "save the model in one file: onnx.save_model(model, path, save_as_external_data=False)",
      });
    }
    tensors.set(name, { dtype, shape: (dims ?? []).map((size) => Number(size)), initializer });
  }
  return weightSource({
    path,
    tensors: new Map([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    metadata: {},
    read: (name) => Promise.try(() => readTensor(name, { tensor: tensors.get(name), path })),
    close: () => tensors.clear(),
  });
}

interface OnnxTensor {
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly initializer: onnx.ITensorProto;
}

async function readGraph(path: string): Promise<onnx.IGraphProto> {
  const bytes = await Deno.readFile(path).catch((error) => {
    throw ioError(`open ${quote(path)}`, error);
  });
  let graph: onnx.IGraphProto | null | undefined;
  try {
    graph = proto.onnx.ModelProto.decode(bytes).graph;
  } catch (cause) {
    throw new InputError(`Cannot open ${quote(path)}: contents must be an ONNX model: they cannot be decoded`, {
      cause,
    });
  }
  if (!graph) throw new InputError(`Cannot open ${quote(path)}: an ONNX model must have a graph: it has none`);
  return graph;
}

/** From the bytes or the numbers that the file has of the tensor. */
function readTensor(name: string, { tensor, path }: { tensor: OnnxTensor | undefined; path: string }): StoredTensor {
  if (!tensor) throw new InputError(`Cannot read ${quote(name)}: ${quote(path)} has no such tensor`);
  const { dtype, shape, initializer: { rawData, floatData } } = tensor;
  const isRaw = rawData && rawData.length > 0;
  const bytes = isRaw ? new Uint8Array(rawData) : fromF32(Float32Array.from(floatData ?? []), dtype);
  const needed = shape.reduce((product, size) => product * size, bytesPerElement(dtype));
  if (bytes.length === needed) return { dtype, shape, bytes };
  const rule = `tensor must have ${needed} bytes as ${dtype} ${showShape(shape)}`;
  throw new InputError(`Cannot read ${quote(name)} of ${quote(path)}: ${rule}: it has ${bytes.length}`);
}
