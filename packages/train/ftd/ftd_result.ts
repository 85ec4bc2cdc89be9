import { join } from "node:path";
import { ADAPTER_FILES, attachedLora, type LoraAdapter, type Model, writeJson, writeLora } from "@fluxsr/core";
import { read } from "@fluxsr/kernels";

/**
 * Writes the LoRA that is attached to `model` into `folder`, and beside it what it is to be used with, so that the folder
 * is an adapter too.
 *
 * @returns the path of the LoRA
 * @throws {InputError} if a file cannot be written
 */
export async function writeFtdResult(
  folder: string,
  { mmdit, config, settings: { T_L, guidance } }: Model,
  { dtype }: { dtype: "F16" | "F32" },
): Promise<string[]> {
  const path = join(folder, ADAPTER_FILES.lora);
  const layers = [...attachedLora(mmdit)];
  const values = await read(...layers.flatMap(([, { a, b }]) => [a, b]));
  const adapters = layers.map(([name, { a, b, scale }], i): [string, LoraAdapter] => {
    const [rank = 0, inner = 0] = a.shape;
    const adapter = { a: values[2 * i]!, b: values[2 * i + 1]!, rank, in: inner, out: b.shape[0] ?? 0, scale };
    return [name, adapter];
  });
  await writeLora(path, new Map(adapters), { config: config.transformer, dtype });
  await writeJson(join(folder, ADAPTER_FILES.config), { T_L, guidance });
  return [path];
}
