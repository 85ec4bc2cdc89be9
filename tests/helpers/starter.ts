import { fileURLToPath } from "node:url";

/** The folder of the starter, a small model whose stages PyTorch's numbers are there for. */
export const STARTER: string = fileURLToPath(new URL("../../models/starter", import.meta.url));
