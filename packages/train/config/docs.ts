import { autoencoderConfig } from "./autoencoder_config.ts";
import { type ConfigSchema, type Field, fieldsOf } from "./fields.ts";
import { flowConfig } from "./flow_config.ts";
import { ftdConfig } from "./ftd_config.ts";
import { pairsConfig } from "./pairs_config.ts";

const STAGES: Readonly<Record<string, { schema: ConfigSchema; what: string }>> = {
  "train ftd": { schema: ftdConfig, what: "trains the LoRA of the one-step model from pairs" },
  "train pairs": { schema: pairsConfig, what: "makes the pairs with the teacher" },
  "train autoencoder": { schema: autoencoderConfig, what: "trains an autoencoder on pictures" },
  "train flow": { schema: flowConfig, what: "trains a flow transformer on pictures" },
};

const INTRODUCTION = `# Training configuration

Every key can stand in the JSON file of \`--config\`, and is also a flag: \`batch_size\` is \`--batch-size 2\`, lists are
comma separated, \`true\` is \`--checkpointing\` and \`false\` is \`--no-checkpointing\`. A flag goes before the file, the file
before the default. This page is generated from \`packages/train/config\`.
`;

/** The contents of docs/training-config.md: all keys of all stages, laid out as the formatter does. */
export function configPage(): string {
  const sections = Object.entries(STAGES).map(([name, { schema, what }]) =>
    `## \`${name}\`\n\n${what[0]?.toUpperCase()}${what.slice(1)}.\n\n${table(fieldsOf(schema))}\n`
  );
  return [INTRODUCTION, ...sections].join("\n");
}

function table(fields: readonly Field[]): string {
  const rows = [
    ["key", "default", "meaning"],
    ...fields.map((field) => [`\`${field.key}\``, fallback(field), meaning(field)]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function fallback({ fallback, isRequired }: Field): string {
  if (isRequired) return "required";
  return fallback === undefined ? "" : `\`${fallback}\``;
}

function meaning({ description, choices }: Field): string {
  return choices ? `${choices.map((choice) => `\`${choice}\``).join(", ")}: ${description}` : description;
}
