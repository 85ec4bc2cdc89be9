import { join } from "node:path";
import { autoencoderJson } from "./autoencoder_config.ts";
import type { AutoencoderConfig, MmditConfig } from "./configs.ts";
import { diffusersAutoencoder, diffusersMmdit, wholeTensor } from "./diffusers_layout.ts";
import { ioError } from "../files/read.ts";
import { quote } from "../files/messages.ts";
import { writeJson } from "../files/write_json.ts";
import { mmditJson } from "./mmdit_json.ts";
import type { RowTensor } from "../weights/row_tensor.ts";
import { scaleTensors } from "../weights/fp8_scales.ts";
import { isGgmlDtype } from "../weights/dtypes/dequantize.ts";
import { streamGguf } from "../weights/gguf/stream_gguf.ts";
import { streamSafetensors } from "../weights/safetensors/stream_safetensors.ts";
import { type StreamedTensor, tensorBytes } from "../weights/streamed_tensor.ts";
import { writeShards } from "../weights/safetensors/write_shards.ts";

/** A network to write, its tensors under BFL names. */
export interface NetworkRows<Config> {
  readonly config: Config;
  readonly tensors: ReadonlyMap<string, RowTensor>;
}

/** The networks of a model folder; one may be missing. */
export interface ModelRows {
  readonly transformer?: NetworkRows<MmditConfig>;
  readonly vae?: NetworkRows<AutoencoderConfig>;
}

/** How the files of a model folder are named and divided: Black Forest Labs' single files, or diffusers' folders. */
export type Layout = "bfl" | "diffusers";

/** Options of {@linkcode writeModel}. */
export interface WriteModelOptions {
  readonly layout: Layout;
  /** The most bytes of a file in the diffusers layout. */
  readonly shardBytes: number;
  /** Is told of every chunk that was written. */
  readonly onWritten?: (bytes: number) => void;
}

/**
 * Writes the networks into `folder`, which exists, so that `openModelFolder` reads them; only chunks of a tensor are in
 * memory. Other files in `folder` stay. A transformer with weights of one of ggml's types becomes a GGUF file, which only
 * the BFL layout has; F8_E4M3 tensors have their scales beside them.
 *
 * @throws {InputError} if a file cannot be written, or the layout cannot say the configuration
 */
export async function writeModel(
  folder: string,
  { transformer, vae }: ModelRows,
  { layout, shardBytes, onWritten = () => {} }: WriteModelOptions,
): Promise<void> {
  if (layout === "bfl") {
    const sections = {
      ...(transformer && { transformer: transformer.config }),
      ...(vae && { autoencoder: vae.config }),
    };
    await writeJson(join(folder, "config.json"), sections);
    if (transformer) await writeTransformer(folder, transformer, onWritten);
    if (vae) await streamSafetensors(join(folder, "ae.safetensors"), whole(vae), { onWritten });
    return;
  }
  const write = async (name: string, config: object, tensors: Iterable<[string, StreamedTensor]>) => {
    const path = join(folder, name);
    await Deno.mkdir(path, { recursive: true }).catch((error) => {
      throw ioError(`write ${quote(path)}`, error);
    });
    await writeJson(join(path, "config.json"), config);
    await writeShards(path, scaleTensors(tensors), { shardBytes, onWritten });
  };
  if (transformer) await write("transformer", mmditJson(transformer.config), diffusersMmdit(transformer.tensors));
  if (vae) await write("vae", autoencoderJson(vae.config), diffusersAutoencoder(vae.tensors));
}

/** Writes the one file of a transformer in the BFL layout. */
async function writeTransformer(
  folder: string,
  transformer: NetworkRows<MmditConfig>,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const dtype = [...transformer.tensors.values()].map((tensor) => tensor.dtype).find(isGgmlDtype);
  if (dtype) {
    await streamGguf(join(folder, `flux1-dev-${dtype}.gguf`), whole(transformer), { dtype, onWritten });
  } else {
    const tensors = scaleTensors(whole(transformer));
    await streamSafetensors(join(folder, "flux1-dev.safetensors"), tensors, { onWritten });
  }
}

function* whole({ tensors }: NetworkRows<unknown>): Generator<[string, StreamedTensor]> {
  for (const [name, tensor] of tensors) yield [name, wholeTensor(tensor)];
}

/** Bytes of all tensors together. */
export function modelBytes({ transformer, vae }: ModelRows): number {
  const tensors = [...transformer?.tensors.values() ?? [], ...vae?.tensors.values() ?? []];
  return tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}
