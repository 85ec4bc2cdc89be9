import { InputError, osReason } from "@fluxsr/core";
import { dirname, resolve } from "node:path";

/** Who has a file. */
interface Owner {
  readonly path: string;
  readonly isInput: boolean;
}

/**
 * The places that results go to, checked before the work: the folder is there and writable, no file is replaced without
 * `overwrite`, an input never, and no two results have the same name.
 */
export class Places {
  /** By absolute path, and by number on the disk: that also finds links and another spelling of the same name. */
  readonly #owners = new Map<string, Owner>();
  readonly #folders = new Map<string, Promise<string | undefined>>();
  readonly #overwrite: boolean;
  readonly #create: string | undefined;

  private constructor({ overwrite, create }: { overwrite: boolean; create: string | undefined }) {
    this.#overwrite = overwrite;
    this.#create = create;
  }

  /** @param options `create` is the folder that is made if it is missing. */
  static async around(
    inputs: readonly string[],
    options: { overwrite: boolean; create: string | undefined },
  ): Promise<Places> {
    const places = new Places(options);
    for (const path of inputs) {
      for (const key of await keysOf(path)) places.#owners.set(key, { path, isInput: true });
    }
    return places;
  }

  /** Takes all of `paths` for the results of one input, or none and tells why. */
  async take(paths: readonly string[], { for: input }: { for: string }): Promise<InputError | undefined> {
    for (const path of paths) {
      const problem = await this.#problem(path);
      if (problem) return problem;
    }
    for (const path of paths) this.#owners.set(resolve(path), { path: input, isInput: false });
    return undefined;
  }

  async #problem(path: string): Promise<InputError | undefined> {
    const owner = (await keysOf(path)).map((key) => this.#owners.get(key)).find((each) => each !== undefined);
    if (owner?.isInput) return refuse(path, `it must not replace an input: it is "${owner.path}"`);
    if (owner) return refuse(path, `no two inputs may have the same output: it is that of "${owner.path}" too`);
    const folder = dirname(path);
    const check = this.#folders.get(folder) ?? this.#folderProblem(folder);
    this.#folders.set(folder, check);
    const problem = await check;
    if (problem !== undefined) return refuse(path, problem);
    return await this.#fileProblem(path);
  }

  async #fileProblem(path: string): Promise<InputError | undefined> {
    try {
      const { isDirectory } = await Deno.lstat(path);
      if (isDirectory) return refuse(path, "it must be a file: it is a folder");
      if (!this.#overwrite) {
        return refuse(path, "the file must not exist yet: it does", "pass --overwrite to replace it");
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return refuse(path, `the name must be usable: ${osReason(error)}`);
    }
    return undefined;
  }

  async #folderProblem(folder: string): Promise<string | undefined> {
    try {
      if (this.#create !== undefined && resolve(folder) === resolve(this.#create)) {
        await Deno.mkdir(folder, { recursive: true });
      }
      const info = await Deno.stat(folder).catch(() => undefined);
      if (!info) return `its folder must exist: there is no "${folder}"`;
      if (!info.isDirectory) return `it must lie in a folder: "${folder}" is a file`;
      // Tried out, as permissions alone do not tell of a disk that is mounted read-only.
      await Deno.remove(await Deno.makeTempFile({ dir: folder, prefix: ".fluxsr-" }));
      return undefined;
    } catch (error) {
      return `its folder must be writable: ${osReason(error)}`;
    }
  }
}

async function keysOf(path: string): Promise<string[]> {
  const info = await Deno.stat(path).catch(() => undefined);
  return [resolve(path), ...(info?.ino ? [`${info.dev}:${info.ino}`] : [])];
}

function refuse(path: string, state: string, hint?: string): InputError {
  return new InputError(`Cannot write "${path}": ${state}`, hint === undefined ? {} : { hint });
}
