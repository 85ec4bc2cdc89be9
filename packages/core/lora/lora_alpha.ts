import { InputError } from "../errors.ts";
import { quote } from "../files/messages.ts";

/** The factor of B A for an adapter of `rank` on `module`, as the file names it; `alpha` is the module's own, if any. */
export type LoraScale = (module: string, rank: number, alpha: number | undefined) => number;

/**
 * How the file with header text `metadata` scales its adapters: alpha / rank, with alpha from, in this order, the
 * module's `.alpha` tensor, PEFT's configuration in `lora_adapter_metadata`, the text `alpha`; without any, 1.
 * Where the text `rank` stands beside the text `alpha`, that rank divides.
 *
 * @throws {InputError} if the text is not what these should be.
 */
export function loraScale(path: string, metadata: Readonly<Record<string, string>>): LoraScale {
  const peft = parsePeft(path, metadata.lora_adapter_metadata);
  const alpha = parseNumber(path, metadata, "alpha");
  const rank = parseNumber(path, metadata, "rank");
  return (module, ownRank, ownAlpha) => {
    if (ownAlpha !== undefined) return ownAlpha / ownRank;
    if (peft) return peft(module, ownRank);
    return alpha === undefined ? 1 : alpha / (rank ?? ownRank);
  };
}

function parseNumber(
  path: string,
  metadata: Readonly<Record<string, string>>,
  key: "alpha" | "rank",
): number | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value) && (key === "alpha" || value > 0)) return value;
  const rule = key === "alpha" ? "a number" : "a number above 0";
  throw new InputError(`Cannot load LoRA ${quote(path)}: ${key} in its metadata must be ${rule}: it is ${quote(text)}`);
}

/**
 * The scale by a PEFT LoraConfig, https://github.com/huggingface/peft src/peft/tuners/lora/layer.py: `lora_alpha`,
 * which `alpha_pattern` overrides by module, over the rank, or its root with `use_rslora`.
 */
function parsePeft(path: string, text: string | undefined): ((module: string, rank: number) => number) | undefined {
  if (text === undefined) return undefined;
  const fail = (rule: string) => new InputError(`Cannot load LoRA ${quote(path)}: lora_adapter_metadata ${rule}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw fail("must be JSON");
  }
  if (typeof json !== "object" || json === null) throw fail("must be a JSON object");
  const config = json as Record<string, unknown>;
  // diffusers puts the name of the network before each key.
  const get = (key: string) => config[`transformer.${key}`] ?? config[key];
  const alpha = get("lora_alpha");
  if (alpha === undefined) return undefined;
  if (typeof alpha !== "number") throw fail("must have a number as lora_alpha");
  const patterns = Object.entries(get("alpha_pattern") ?? {});
  // PEFT takes the keys as regular expressions for the end of a name; plain names are what tools write.
  if (patterns.some(([key, value]) => !/^[\w.]+$/.test(key) || typeof value !== "number")) {
    throw fail("must have names of modules with numbers in its alpha_pattern");
  }
  const usesRoot = get("use_rslora") === true;
  return (module, rank) => {
    const own = patterns.find(([key]) => module === key || module.endsWith(`.${key}`))?.[1];
    return (own as number | undefined ?? alpha) / (usesRoot ? Math.sqrt(rank) : rank);
  };
}
