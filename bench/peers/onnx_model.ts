import proto, { type onnx } from "onnx-proto";

/** A tensor that goes into a model or comes out of it, f32. */
export interface Port {
  readonly name: string;
  readonly shape: readonly number[];
}

/** `TensorProto.DataType.FLOAT`, https://onnx.ai/onnx/repo-docs/IR.html */
const FLOAT = 1;
/** `AttributeProto.AttributeType` */
const [INT, INTS] = [2, 7];

/** A node: an operator with the names of what it reads and writes. */
export function node(
  opType: string,
  { inputs, outputs, domain = "", attributes = {} }: {
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly domain?: string;
    readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  },
): onnx.INodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === "number" ? { name, type: INT, i: value } : { name, type: INTS, ints: [...value] }
  );
  return { opType, domain, input: [...inputs], output: [...outputs], attribute };
}

/** The bytes of an ONNX model; `constants` are weights that it holds itself. */
export function model(nodes: readonly onnx.INodeProto[], { inputs, outputs, constants = [] }: {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants?: readonly (Port & { readonly values: Float32Array<ArrayBuffer> })[];
}): Uint8Array {
  const info = ({ name, shape }: Port) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  });
  const { ModelProto } = proto.onnx;
  return ModelProto.encode(ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }, { domain: "com.microsoft", version: 1 }],
    graph: {
      name: "peer",
      node: [...nodes],
      input: inputs.map(info),
      output: outputs.map(info),
      initializer: constants.map(({ name, shape, values }) => ({
        name,
        dims: [...shape],
        dataType: FLOAT,
        rawData: new Uint8Array(values.buffer),
      })),
    },
  })).finish();
}
