/** Copies of the starter with something wrong in them. */
import { join } from "node:path";
import { STARTER } from "../helpers/starter.ts";

const WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";

/** A safetensors file: its header, and the bytes after it. */
interface File {
  header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  data: Uint8Array;
}

/** Copies the starter to `to`, with `damage` done to the bytes of the transformer's weights. */
export async function damagedModel(to: string, damage: (file: Uint8Array) => Uint8Array): Promise<void> {
  await copyFolder(STARTER, to);
  const path = join(to, WEIGHTS);
  await Deno.writeFile(path, damage(await Deno.readFile(path)));
}

/** A damage done to the header or the values, with the file well-formed afterwards. */
export function edited(edit: (file: File) => void): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const file = {
      header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
      data: bytes.slice(8 + length),
    };
    edit(file);
    const header = new TextEncoder().encode(JSON.stringify(file.header));
    const padded = Math.ceil(header.length / 8) * 8;
    const result = new Uint8Array(8 + padded + file.data.length).fill(0x20);
    new DataView(result.buffer).setBigUint64(0, BigInt(padded), true);
    result.set(header, 8);
    result.set(file.data, 8 + padded);
    return result;
  };
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}
