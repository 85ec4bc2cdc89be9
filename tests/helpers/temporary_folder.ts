import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => folders.forEach((path) => Deno.removeSync(path, { recursive: true })));

/** A new folder that goes away after the test file. */
export function temporaryFolder(): string {
  const path = Deno.makeTempDirSync({ prefix: "fluxsr-test-" });
  folders.push(path);
  return path;
}
