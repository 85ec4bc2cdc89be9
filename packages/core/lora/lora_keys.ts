/** Which tensor of an adapter a key of a LoRA file names. */
export interface LoraKey {
  /** The module as the file names it, without prefixes. */
  readonly module: string;
  readonly kind: "a" | "b" | "alpha";
}

/** PEFT (with or without an adapter's name), kohya, and older diffusers. */
const KINDS: readonly (readonly [RegExp, LoraKey["kind"]])[] = [
  [/\.lora_A(\.\w+)?\.weight$|\.lora[._]down\.weight$/, "a"],
  [/\.lora_B(\.\w+)?\.weight$|\.lora[._]up\.weight$/, "b"],
  [/\.alpha$/, "alpha"],
];

/** What PEFT, diffusers, ComfyUI, kohya, OneTrainer and LyCORIS put before a module's name, in any combination. */
const PREFIX =
  /^(base_model\.model\.|model\.diffusion_model\.|diffusion_model\.|transformer\.|unet\.|lora_unet_|lora_transformer_|lycoris_)+/;

/** What `key` names; undefined if it is no tensor of a LoRA. */
export function parseLoraKey(key: string): LoraKey | undefined {
  for (const [pattern, kind] of KINDS) {
    if (pattern.test(key)) return { module: key.replace(pattern, "").replace(PREFIX, ""), kind };
  }
  return undefined;
}

/** Whether `key` belongs to a text encoder: those are used as they are. */
export function isTextEncoderKey(key: string): boolean {
  return /^(lora_te\d*_|(base_model\.model\.)?text_encoders?(_\d)?\.)/.test(key);
}
