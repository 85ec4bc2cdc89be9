import { InputError } from "@fluxsr/core";
import { closest } from "fastest-levenshtein";
import type { z } from "zod";
import { type ConfigSchema, fieldsOf } from "./fields.ts";

/**
 * Checks a configuration and fills in the defaults.
 *
 * @param json the parsed contents of `file`; what flags say may have been merged into it
 * @throws {InputError} naming the key that is unknown and the nearest known one, or the key that is missing or wrong, the
 * rule that it breaks, and its value
 */
export function parseConfig<S extends ConfigSchema>(
  schema: S,
  json: unknown,
  { file }: { file?: string } = {},
): z.infer<S> {
  const { data, error } = schema.safeParse(json);
  const issues = error?.issues ?? [];
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]; // a typo explains what is missing
  if (!issue) return data as z.infer<S>;

  const action = file === undefined
    ? "Cannot use the configuration"
    : `Cannot use configuration ${JSON.stringify(file)}`;
  if (issue.code === "unrecognized_keys") throw unknownKey(action, issue.keys[0] ?? "", schema);
  if (issue.path.length === 0) throw new InputError(`${action}: it must be a JSON object: it is ${shown(json)}`);
  const key = String(issue.path[0]);
  const value = (json as Record<string, unknown>)[key];
  const isMissing = value === undefined;
  const flag = fieldsOf(schema).find((field) => field.key === key)?.flag;
  throw new InputError(
    isMissing
      ? `${action}: ${key} must be ${issue.message}: it is missing`
      : `${action}: ${key} must be ${issue.message}: it is ${shown(value)}`,
    isMissing ? { hint: `give it in the file of --config, or with ${flag}` } : {},
  );
}

function unknownKey(action: string, key: string, schema: ConfigSchema): InputError {
  const known = fieldsOf(schema).map((field) => field.key);
  return new InputError(`${action}: keys must be known ones: it has ${JSON.stringify(key)}`, {
    hint: `did you mean ${JSON.stringify(closest(key, known))}?`,
  });
}

/** A JSON value, cut to what a line can hold. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
