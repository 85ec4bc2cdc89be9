import { ioError } from "../files/read.ts";
import { quote } from "../files/messages.ts";

/**
 * Writes a file of any size, piece by piece. It has a temporary name beside `path` until it is whole, so that `path` is
 * whole or as it was.
 *
 * @throws {InputError} if the file cannot be written (disk full, no permission, ...)
 */
export async function streamFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.tmp-${crypto.randomUUID().slice(0, 8)}`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      for await (const piece of pieces) {
        for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
      }
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw ioError(`write ${quote(path)}`, error);
  }
}
