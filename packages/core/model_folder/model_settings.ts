import { isAbsolute, join, normalize } from "node:path";
import { InputError } from "../errors.ts";
import { pathKind, readJson } from "../files/read.ts";
import { quote } from "../files/messages.ts";
import { JsonFields } from "../files/json_fields.ts";

/** What `fluxsr.json` in a model folder says; every key is optional. */
export interface ModelSettings {
  /** The time at which low-resolution latents enter the flow, in (0, 1]; default 0.25 (not stated in the paper). */
  readonly T_L: number;
  /** How many times larger pictures become where nothing else is asked for, 1 to 8; default 4. */
  readonly scale: number;
  /** Guidance fed to a model with `guidance_embed`; default 1, as one-step models of FLUX use. */
  readonly guidance: number;
  /** Places of the grid of tokens whose velocities are averaged, 1, 2 or 4; default 1. More hide a grid, and cost as much. */
  readonly token_shifts: number;
  /** Whether what alternates from latent to latent is taken out of the velocity; default false. It hides a grid, too. */
  readonly notch: boolean;
  /** Side of the tiles in pixels of the result, near the side that the model was trained at; default: the adapter's. */
  readonly tile?: number;
  /** Pixels around the result that are made too, mirrored, and cut off, since the networks spoil edges; default 0. */
  readonly border: number;
  /** Whether the autoencoder's own error is taken out: the result is `x_L + D(z_0hat) - D(z_L)`; default false. */
  readonly residual: boolean;
  /** Path of the file with the prompt's embedding; none means one zero text token and a zero pooled vector. */
  readonly conditioning?: string;
  /** Path of the LoRA that belongs to the model. */
  readonly lora?: string;
  readonly license?: string;
  readonly name?: string;
}

const KEYS = [
  "T_L",
  "scale",
  "guidance",
  "token_shifts",
  "notch",
  "tile",
  "border",
  "residual",
  "conditioning",
  "lora",
  "license",
  "name",
];

/**
 * Reads `fluxsr.json` of the model folder `dir`, or takes the defaults if there is none.
 * @throws {InputError} naming the key that is unknown, wrong, or points outside the folder or at no file.
 */
export async function readModelSettings(dir: string): Promise<ModelSettings> {
  const path = join(dir, "fluxsr.json");
  const fields = new JsonFields(path, await pathKind(path) === "none" ? {} : await readJson(path));
  fields.onlyKnown(KEYS);
  const tile = fields.has("tile") ? fields.integer("tile") : undefined;
  const license = fields.text("license"), name = fields.text("name");
  const lora = await fileIn(dir, fields, "lora"), conditioning = await fileIn(dir, fields, "conditioning");
  return {
    T_L: fields.number("T_L", { rule: "above 0 and at most 1", isGood: (t) => t > 0 && t <= 1, fallback: 0.25 }),
    scale: fields.integer("scale", { min: 1, max: 8, fallback: 4 }),
    guidance: fields.number("guidance", { rule: "at least 0", isGood: (g) => g >= 0, fallback: 1 }),
    token_shifts: fields.number("token_shifts", {
      rule: "1, 2 or 4",
      isGood: (n) => [1, 2, 4].includes(n),
      fallback: 1,
    }),
    notch: fields.boolean("notch", { fallback: false }),
    border: fields.integer("border", { min: 0, fallback: 0 }),
    residual: fields.boolean("residual", { fallback: false }),
    ...(tile === undefined ? {} : { tile }),
    ...(conditioning === undefined ? {} : { conditioning }),
    ...(lora === undefined ? {} : { lora }),
    ...(license === undefined ? {} : { license }),
    ...(name === undefined ? {} : { name }),
  };
}

/** The absolute path of the file that `key` names, relative to `dir`. */
async function fileIn(dir: string, fields: JsonFields, key: string): Promise<string | undefined> {
  const relative = fields.text(key);
  if (relative === undefined) return undefined;
  if (isAbsolute(relative) || /^\.\.([/\\]|$)/.test(normalize(relative))) {
    throw fields.error(key, "a path inside the folder");
  }
  const path = join(dir, relative);
  if (await pathKind(path) !== "file") {
    throw new InputError(`Cannot read ${quote(fields.path)}: ${key} must name a file: there is no ${quote(relative)}`);
  }
  return path;
}
