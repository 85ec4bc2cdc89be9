import { join } from "node:path";
import { InputError } from "../errors.ts";
import { osReason } from "./os_reason.ts";

/**
 * Keeps other processes that ask for it out of `folder`, until it is disposed of or the process ends in any way: by a lock
 * of the operating system on a file `.lock` there. Where a file system has no locks, nobody is kept out.
 *
 * @throws {InputError} if a process, this one too, holds the folder, or it cannot be written
 */
export async function holdFolder(folder: string): Promise<Disposable> {
  const path = join(folder, ".lock");
  const file = await Deno.open(path, { create: true, write: true }).catch((cause: Error) => {
    throw new InputError(`Cannot write to "${folder}": it must be a folder that can be written: ${osReason(cause)}`, {
      cause,
    });
  });
  const isFree = await file.tryLock(true).catch(() => true);
  if (!isFree) {
    file.close();
    throw new InputError(`Cannot write to "${folder}": one process at a time may: another does`, {
      hint: "Wait for it, or write to another folder.",
    });
  }
  return {
    [Symbol.dispose]() {
      try {
        Deno.removeSync(path);
      } catch {
        // Who removed the folder does not want it.
      }
      file.close();
    },
  };
}
