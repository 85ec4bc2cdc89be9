import { fileURLToPath } from "node:url";

/** The model that programs are timed with, which is not the bundled one: so rows of all reports stay comparable. */
export const STARTER: string = fileURLToPath(new URL("../models/starter", import.meta.url));
