import { type Command, InvalidArgumentError, Option } from "commander";
import { type ConfigSchema, type Field, fieldsOf } from "./fields.ts";

/** Adds an option for every key of `schema` to `command`; none has a default, so that only those given are seen. */
export function addConfigFlags(command: Command, schema: ConfigSchema): void {
  for (const field of fieldsOf(schema)) {
    const { flag, kind, description } = field;
    if (kind === "boolean") {
      command.option(flag, `${description}${defaultText(field)}`);
      command.option(flag.replace("--", "--no-"), `not ${flag}`);
    } else {
      const option = new Option(`${flag} ${PLACEHOLDERS[kind]}`, `${description}${defaultText(field)}`);
      if (field.choices) option.choices(field.choices);
      command.addOption(option.argParser((value) => parsed(field, value)));
    }
  }
}

/** The keys that were given as flags of `command`, to be merged over those of a file. */
export function configFlags(command: Command, schema: ConfigSchema): Record<string, unknown> {
  const names = new Map(command.options.map((option) => [option.long, option.attributeName()]));
  const given = fieldsOf(schema).flatMap(({ key, flag }) => {
    const name = names.get(flag) ?? "";
    return command.getOptionValueSource(name) === "cli" ? [[key, command.getOptionValue(name)]] : [];
  });
  return Object.fromEntries(given);
}

const PLACEHOLDERS = { number: "<n>", text: "<text>", list: "<a,b>" } as const;

/** ` (default: 1)`, unless the description speaks of the default itself. */
function defaultText({ fallback, isRequired }: Field): string {
  if (isRequired) return " (required)";
  return fallback === undefined ? "" : ` (default: ${fallback})`;
}

/** The value of an option, of the type that its key has. */
function parsed(field: Field, value: string): unknown {
  const typed = field.kind === "number" ? number(value) : field.kind === "list" ? value.split(",") : value;
  const rule = field.broken(typed);
  if (rule !== undefined) throw new InvalidArgumentError(`It must be ${rule}.`);
  return typed;
}

/** A decimal number; any other text as it is, which is no number then. */
function number(value: string): number | string {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : value;
}
