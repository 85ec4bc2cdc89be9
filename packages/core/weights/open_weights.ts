import { dirname, join } from "node:path";
import { InputError } from "../errors.ts";
import { listFiles, pathKind, readJson } from "../files/read.ts";
import { withFp8Scales } from "./fp8_scales.ts";
import { openGguf } from "./gguf/gguf.ts";
import { quote, showValue } from "../files/messages.ts";
import { openPth } from "./pth/pth.ts";
import { openSafetensors, type SafetensorsFile } from "./safetensors/safetensors.ts";
import { filesSource, type WeightSource } from "./weight_source.ts";

const INDEX = ".safetensors.index.json";

/** Weights, and the paths of the files that they are in. */
export interface WeightFiles extends WeightSource {
  readonly files: readonly string[];
}

/**
 * Opens the weights at `path`: a .safetensors file, an index of shards (`*.safetensors.index.json`), a folder with one
 * index, or with one or several .safetensors files, a .gguf file, or what torch.save wrote (.pth, .pt).
 *
 * @throws {InputError} if there is nothing to open, a shard or a listed tensor is missing, or two files hold the same
 * tensor.
 */
export async function openWeights(path: string): Promise<WeightFiles> {
  if (path.endsWith(".gguf")) return { ...await openGguf(path), files: [path] };
  if (/\.pth?$/.test(path)) return { ...await openPth(path), files: [path] };
  if (path.endsWith(INDEX)) return await openShards(path);
  if (await pathKind(path) !== "folder") return await openFiles(path, [path]);
  const [index, ...others] = await listFiles(path, INDEX);
  if (others.length > 0) {
    throw new InputError(`Cannot open ${quote(path)}: folder must have one index: it has ${others.length + 1}`, {
      hint: `keep one of ${[index!, ...others].map(quote).join(", ")} in the folder`,
    });
  }
  if (index) return await openShards(join(path, index));
  const names = await listFiles(path, ".safetensors");
  if (names.length === 0) throw new InputError(`Cannot open ${quote(path)}: folder has no .safetensors file`);
  return await openFiles(path, names.map((name) => join(path, name)));
}

/** All tensors of all `paths`. */
async function openFiles(path: string, paths: readonly string[]): Promise<WeightFiles> {
  using opened = new DisposableStack();
  const files: SafetensorsFile[] = [];
  const names = new Map<string, SafetensorsFile>();
  for (const each of paths) {
    const file = opened.use(await openSafetensors(each));
    files.push(file);
    for (const name of file.tensors.keys()) {
      const other = names.get(name);
      if (other) {
        const state = `${quote(name)} is in ${quote(other.path)} and ${quote(file.path)}`;
        throw new InputError(`Cannot open ${quote(path)}: a tensor must be in one file: ${state}`);
      }
      names.set(name, file);
    }
  }
  const source = await withFp8Scales(filesSource(path, { files, names }));
  opened.move();
  return { ...source, files: paths };
}

/** The tensors that an index lists; each shard is opened once. */
async function openShards(path: string): Promise<WeightFiles> {
  const fail = (rule: string, options?: { hint: string }) =>
    new InputError(`Cannot open ${quote(path)}: ${rule}`, options);
  const index = await readJson(path) as { weight_map?: unknown } | null;
  const map = index?.weight_map;
  if (typeof map !== "object" || map === null) throw fail("index must have a weight_map: it has none");
  using opened = new DisposableStack();
  const shards = new Map<string, SafetensorsFile>();
  const names = new Map<string, SafetensorsFile>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== "string" || !/^[^/\\]+\.safetensors$/.test(shard)) {
      throw fail(`weight_map must name .safetensors files beside the index: ${quote(name)} is in ${showValue(shard)}`);
    }
    let file = shards.get(shard);
    if (!file) {
      const shardPath = join(dirname(path), shard);
      if (await pathKind(shardPath) === "none") {
        throw fail(`shard ${quote(shard)} is missing`, { hint: "the download is not whole: start it again" });
      }
      file = opened.use(await openSafetensors(shardPath));
      shards.set(shard, file);
    }
    if (!file.tensors.has(name)) {
      throw fail(`shard ${quote(shard)} must hold ${quote(name)}: it does not`, {
        hint: "the shard and the index may be of two models: download both again",
      });
    }
    names.set(name, file);
  }
  const files = [...shards.values()];
  const source = await withFp8Scales(filesSource(path, { files, names }));
  opened.move();
  return { ...source, files: files.map((file) => file.path) };
}
