import { createHash } from "node:crypto";
import { basename, dirname, join, relative, resolve } from "node:path";
import { InputError } from "../errors.ts";
import { pathKind } from "../files/read.ts";
import { ByteFile } from "../weights/byte_file.ts";
import { quote } from "../files/messages.ts";

/** The hub's etag of a file in LFS or Xet; that of a small file in git is a SHA-1, of 40 digits. */
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * The SHA-256 that the Hugging Face hub gave for file `path` of model folder `folder`, both absolute, as its tools keep it;
 * undefined where there is none. A download to a folder has it in the second line of
 * `.cache/huggingface/download/<file>.metadata` (huggingface_hub, src/huggingface_hub/_local_folder.py); in the hub's cache
 * a file is a link to `blobs/<sha256>` (https://huggingface.co/docs/hub/local-cache). That may be a link itself, to a file
 * named after another hash, so that links are followed one by one.
 */
export async function knownSha256(path: string, folder: string): Promise<string | undefined> {
  for (let at = path; (await Deno.lstat(at)).isSymlink;) {
    at = resolve(await Deno.realPath(dirname(at)), await Deno.readLink(at));
    if (basename(dirname(at)) === "blobs" && SHA256.test(basename(at))) return basename(at);
  }
  const metadata = join(folder, ".cache/huggingface/download", `${relative(folder, path)}.metadata`);
  if (await pathKind(metadata) !== "file") return undefined;
  const [, etag = ""] = (await Deno.readTextFile(metadata)).split("\n").map((line) => line.trim());
  return SHA256.test(etag) ? etag : undefined;
}

/**
 * Reads file `path` and compares its SHA-256 with the one that it must have.
 *
 * @throws {InputError} naming the file, if it has another or cannot be read
 */
export async function checkSha256(
  path: string,
  { expected, onBytes }: { expected: string; onBytes: (count: number) => void },
): Promise<void> {
  using file = await ByteFile.open(path);
  const hash = createHash("sha256");
  for await (const bytes of file.chunks(0, file.size)) {
    hash.update(bytes);
    onBytes(bytes.length);
  }
  const actual = hash.digest("hex");
  if (actual === expected) return;
  throw new InputError(
    `Cannot load ${quote(path)}: its SHA-256 must be that of the download, ${expected}: it is ${actual}`,
    {
      hint: "the file is damaged, or was changed since: download it again",
    },
  );
}
