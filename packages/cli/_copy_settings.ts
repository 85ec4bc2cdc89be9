import {
  type AdapterFolder,
  fromF32,
  type ModelSettings,
  type Networks,
  readJson,
  writeJson,
  writeSafetensors,
} from "@fluxsr/core";
import { dirname, join, relative } from "node:path";

/**
 * Copies to `to` what a model folder has beside its weights: licences and model cards, fluxsr.json and the files that it
 * names. A merged adapter stands for the model's own LoRA, text and settings.
 */
export async function copySettings(
  to: string,
  { folder, adapter }: { folder: Networks["folder"]; adapter: AdapterFolder | undefined },
): Promise<void> {
  if (folder) await copyTexts(folder.path, to);
  const own: Partial<ModelSettings> = folder?.settings ?? {};
  const source = folder && join(folder.path, "fluxsr.json");
  const hasFile = source !== undefined && await Deno.stat(source).then(() => true, () => false);
  const json: Record<string, unknown> = { ...(hasFile ? await readJson(source) as object : {}), ...adapter?.settings };
  if (adapter) delete json.lora;
  if (adapter?.conditioning) {
    const { txt, txt_shape, y } = adapter.conditioning;
    json.conditioning = "conditioning.safetensors";
    await writeSafetensors(join(to, "conditioning.safetensors"), [
      ["txt", { dtype: "F32", shape: txt_shape, bytes: fromF32(txt, "F32") }],
      ["y", { dtype: "F32", shape: [y.length], bytes: fromF32(y, "F32") }],
    ]);
  }
  const kept = [adapter ? undefined : own.lora, adapter?.conditioning ? undefined : own.conditioning];
  for (const file of kept) {
    if (file === undefined || !folder) continue;
    const copy = join(to, relative(folder.path, file));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.copyFile(file, copy);
  }
  if (Object.keys(json).length > 0) await writeJson(join(to, "fluxsr.json"), json);
}

/** Copies licences, model cards and the like. */
async function copyTexts(from: string, to: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile && /\.(md|txt)$|^LICENSE/i.test(name)) await Deno.copyFile(join(from, name), join(to, name));
  }
}
