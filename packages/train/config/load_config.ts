import { readJson } from "@fluxsr/core";
import type { z } from "zod";
import type { ConfigSchema } from "./fields.ts";
import { parseConfig } from "./parse_config.ts";

/**
 * The configuration that `flags` and a JSON file give: a flag goes before the file, the file before the default.
 * @throws {InputError} if the file cannot be read, or as {@linkcode parseConfig}
 */
export async function loadConfig<S extends ConfigSchema>(
  schema: S,
  { file, flags }: { file: string | undefined; flags: Readonly<Record<string, unknown>> },
): Promise<z.infer<S>> {
  if (file === undefined) return parseConfig(schema, flags);
  const json = await readJson(file);
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return parseConfig(schema, isObject ? { ...json, ...flags } : json, { file });
}
