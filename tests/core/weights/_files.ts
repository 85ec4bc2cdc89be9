import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { InputError } from "../../../packages/core/errors.ts";

/** The path of a file below tests/golden. */
export function golden(path: string): string {
  return fileURLToPath(new URL(`../../golden/${path}`, import.meta.url));
}

/** A safetensors file of `header` and `dataBytes` zeros; `length` is what the file says of the header's length. */
export function rawFile(
  header: unknown,
  { dataBytes = 0, length }: { dataBytes?: number; length?: bigint } = {},
): Uint8Array<ArrayBuffer> {
  const text = header instanceof Uint8Array
    ? header
    : new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

/** The InputError that `action` ends with; its form is checked. */
export async function inputError(action: Promise<unknown> | (() => unknown)): Promise<InputError> {
  let error: unknown;
  try {
    await (typeof action === "function" ? action() : action);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).toMatch(/^Cannot (open|read|load|write|list) /);
  expect(message).not.toMatch(/\n|\.$/);
  return error as InputError;
}

/** The message of the InputError that `action` ends with. */
export async function messageOf(action: Promise<unknown> | (() => unknown)): Promise<string> {
  return (await inputError(action)).message;
}
