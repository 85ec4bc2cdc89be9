import { expect, it } from "vitest";
import { ioError } from "../../../packages/core/files/read.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`${code} (os error)\nsecond line`), { code });
}

it.each([
  ["ENOSPC", "the disk is full"],
  ["EACCES", "permission denied"],
  ["ENOENT", "no such file or folder"],
  ["EROFS", "the disk is read-only"],
  ["EWHAT", "EWHAT (os error)"],
])("ioError() says what %s means", (code, reason) => {
  expect(ioError(`write "a"`, systemError(code))).toMatchObject({
    name: "InputError",
    message: `Cannot write "a": ${reason}`,
  });
});

it("ioError() leaves errors that are not the system's", () => {
  const bug = new TypeError("bug");
  expect(ioError("write", bug)).toBe(bug);
  expect(ioError("write", "text")).toBe("text");
  const abort = AbortSignal.abort().reason;
  expect(ioError("write", abort)).toBe(abort);
});

it("ioError() knows a full disk when it meets one", () => {
  let error: unknown;
  try {
    using full = Deno.openSync("/dev/full", { write: true });
    full.writeSync(new Uint8Array(1));
  } catch (thrown) {
    error = thrown;
  }
  expect(ioError(`write "a"`, error)).toMatchObject({ message: `Cannot write "a": the disk is full` });
});
