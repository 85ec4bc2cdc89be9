import { writeAtomically } from "./write_atomically.ts";

/**
 * Writes `value` as JSON, in place of what is there; the file is whole or as it was.
 * @throws {InputError} if it cannot be written
 */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  await writeAtomically(path, bytes, { overwrite: true });
}
