import { InputError } from "../errors.ts";
import { isWeightDtype } from "../weights/dtypes/dtype.ts";
import { quote, showNames, showShape } from "../files/messages.ts";
import { openOnnx } from "../weights/onnx.ts";
import { openWeights } from "../weights/open_weights.ts";
import { type TensorInfo, type WeightSource, weightSource } from "../weights/weight_source.ts";

/** A tensor of a file. */
interface Place {
  readonly source: WeightSource;
  readonly name: string;
}

/**
 * Opens the weights of LPIPS or DISTS in `files`, safetensors, ONNX or what torch.save wrote (.pth, .pt): VGG16 and
 * the heads, in one file or in two.
 *
 * Other tensors, such as torchvision's classifier, are left out; of two with the same meaning the first counts.
 * @param shapes what is needed, by the property path in `Lpips` or `Dists`
 * @param options.fallback has what no file needs to have
 * @throws {InputError} if a file cannot be opened, or a tensor is missing, has another shape or is not a weight
 */
export async function openLpipsWeights(
  files: readonly string[],
  shapes: ReadonlyMap<string, readonly number[]>,
  { fallback }: { fallback?: WeightSource } = {},
): Promise<WeightSource> {
  using opened = new DisposableStack();
  const places = new Map<string, Place>();
  for (const file of files) {
    const source = opened.use(await (file.endsWith(".onnx") ? openOnnx(file) : openWeights(file)));
    for (const name of source.tensors.keys()) {
      const path = lpipsPath(name);
      if (path !== undefined && !places.has(path)) places.set(path, { source, name });
    }
  }
  for (const name of fallback?.tensors.keys() ?? []) {
    if (!places.has(name)) places.set(name, { source: fallback!, name });
  }
  const path = files.join(", ");
  const missing = [...shapes.keys()].filter((name) => !places.has(name));
  if (missing.length > 0) {
    throw new InputError(`Cannot load ${quote(path)}: tensors are missing: ${showNames(missing)}`, {
      hint: "give the weights of VGG16 and the heads lin0 to lin4 of LPIPS, in one file or in two",
    });
  }
  const tensors = new Map([...shapes].map(([name, shape]) => [name, check(places.get(name)!, shape)]));
  const all = opened.move();
  return weightSource({
    path,
    tensors,
    metadata: {},
    async read(name) {
      const { source, name: stored } = places.get(name)!;
      return { ...tensors.get(name)!, bytes: (await source.read(stored)).bytes };
    },
    close: () => all.dispose(),
  });
}

/**
 * The property path in `Lpips` or `Dists` of a tensor that a file calls `name`, behind any prefix: as in torchvision
 * (`features.0.weight`) or in the lpips package, whose slices keep torchvision's numbers (`net.slice1.0.weight`,
 * `lin0.model.1.weight`, `lins.0.model.1.weight`), or a head by itself (`lin0.weight`, `lin0`); or as in the program of
 * DISTS (`stage1.0.weight`, `alpha`, `beta`).
 */
export function lpipsPath(name: string): string | undefined {
  const [, layer, kind] = name.match(/(?:^|\.)(?:features|slice\d|stage\d)\.(\d+)\.(weight|bias)$/) ?? [];
  if (layer !== undefined) return `net.features.${layer}.${kind}`;
  const [, share] = name.match(/(?:^|\.)(alpha|beta)$/) ?? [];
  if (share !== undefined) return share;
  const [, head] = name.match(/(?:^|\.)lin(?:s\.)?(\d)(?:\.model\.1)?(?:\.weight)?$/) ?? [];
  return head === undefined ? undefined : `lins.${head}`;
}

/** A head [C] may be stored as a convolution [1, C, 1, 1]. */
function check({ source, name }: Place, shape: readonly number[]): TensorInfo {
  const { dtype, shape: stored } = source.tensors.get(name)!;
  const fail = (rule: string) => new InputError(`Cannot load ${quote(source.path)}: ${quote(name)} must be ${rule}`);
  if (!isWeightDtype(dtype)) throw fail(`F32, F16 or BF16: it is ${dtype}`);
  const isSame = [shape, [1, ...shape, 1, 1]].some((good) => showShape(good) === showShape(stored));
  if (!isSame) throw fail(`${showShape(shape)}: it is ${showShape(stored)}`);
  return { dtype, shape };
}
