/** Parts of core that its `mod.ts` does not export. */
export { autoencoderNames } from "../../core/weights/autoencoder_names.ts";
export { parseAutoencoderConfig } from "../../core/weights/autoencoder_config.ts";
export { mmditNames } from "../../core/weights/mmdit_names.ts";
export { parseMmditConfig } from "../../core/weights/mmdit_config.ts";
