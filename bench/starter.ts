import { fileURLToPath } from "node:url";

/** The model that programs are timed with: rows of reports stay comparable when another one is bundled. */
export const STARTER: string = fileURLToPath(new URL("../models/starter", import.meta.url));
