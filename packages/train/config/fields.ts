import type { z } from "zod";

/** The schema of a stage's configuration. */
export type ConfigSchema = z.ZodObject;

/** A key of a configuration. */
export interface Field {
  /** As in the JSON file: `batch_size`. */
  readonly key: string;
  /** As on the command line: `--batch-size`. */
  readonly flag: string;
  readonly kind: "number" | "text" | "list" | "boolean";
  /** The texts that are allowed, where not any is. */
  readonly choices: readonly string[] | undefined;
  /** What it is if it is not given; undefined if there is no such value. */
  readonly fallback: unknown;
  readonly isRequired: boolean;
  /** What it means, for people. */
  readonly description: string;
  /** The rule that `value` breaks, which completes "must be"; undefined if it breaks none. */
  broken(value: unknown): string | undefined;
}

/** The keys of `schema` in its order. */
export function fieldsOf(schema: ConfigSchema): readonly Field[] {
  return Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(([key, type]) => {
    const { kind, choices, fallback } = unwrapped(type);
    return {
      key,
      flag: `--${key.replaceAll("_", "-").toLowerCase()}`,
      kind,
      choices,
      fallback,
      isRequired: !type.safeParse(undefined).success,
      description: type.description ?? "",
      broken: (value) => type.safeParse(value).error?.issues[0]?.message,
    };
  });
}

/** What `type` is below `.default()` and `.optional()`. */
function unwrapped(type: z.ZodType): Pick<Field, "kind" | "choices" | "fallback"> {
  const { def } = type as
    | z.ZodDefault
    | z.ZodOptional
    | z.ZodNumber
    | z.ZodString
    | z.ZodArray
    | z.ZodBoolean
    | z.ZodEnum;
  switch (def.type) {
    case "default":
      return { ...unwrapped(def.innerType as z.ZodType), fallback: def.defaultValue };
    case "optional":
      return unwrapped(def.innerType as z.ZodType);
    case "enum":
      return { kind: "text", choices: Object.values(def.entries).map(String), fallback: undefined };
    case "string":
      return { kind: "text", choices: undefined, fallback: undefined };
    case "array":
      return { kind: "list", choices: undefined, fallback: undefined };
    default:
      return { kind: def.type, choices: undefined, fallback: undefined };
  }
}
