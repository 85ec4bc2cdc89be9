import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { Readable } from "node:stream";
import type { Task } from "./task.ts";

/** An input of an op. */
export interface Values {
  readonly values: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** Sizes that shapes do not tell. */
export type Sizes = Readonly<Record<string, number>>;

const SCRIPT = new URL("./torch_peer.py", import.meta.url).pathname;

/** A Python process that runs torch_peer.py and ends with this one; tensors go there and back as files. */
export class TorchProcess {
  readonly version: string;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncIterator<string>;
  #tasks = 0;

  private constructor(
    version: string,
    requests: WritableStreamDefaultWriter<Uint8Array>,
    answers: AsyncIterator<string>,
  ) {
    this.version = version;
    this.#requests = requests;
    this.#answers = answers;
  }

  /** Starts Python; undefined where it, PyTorch or the device is missing. */
  static async start(device: string): Promise<TorchProcess | undefined> {
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command("python3", { args: [SCRIPT, device], stdin: "piped", stdout: "piped", stderr: "null" })
        .spawn();
    } catch {
      return undefined;
    }
    const lines: Interface = createInterface({ input: Readable.fromWeb(child.stdout as never) });
    const answers = lines[Symbol.asyncIterator]();
    const { value } = await answers.next();
    const { version = "", available = false } = value === undefined ? {} : JSON.parse(value);
    const requests = child.stdin.getWriter();
    if (available) return new TorchProcess(version, requests, answers);
    await requests.close().catch(() => {});
    return undefined;
  }

  /** An op on `arrays`: its result, or with the gradient of the result as the last one the gradients of all others. */
  async open(what: { op: string; precision: string; sizes: Sizes }, arrays: readonly Values[]): Promise<Task> {
    const task = ++this.#tasks;
    await withFolder(async (folder) => {
      const tensors = arrays.map(({ shape }, i) => ({ path: join(folder, `input_${i}`), shape }));
      for (const [i, { values }] of arrays.entries()) {
        await Deno.writeFile(tensors[i]!.path, new Uint8Array(values.buffer));
      }
      await this.#ask({ do: "open", task, ...what, tensors });
    });
    return {
      run: (times = 1) => this.#ask({ do: "run", task, times }),
      sample: () => this.#sample(task, arrays.length),
      dispose: () => void this.#ask({ do: "close", task }),
    };
  }

  /** Its results: at most as many as inputs. */
  #sample(task: number, most: number): Promise<Float32Array[]> {
    return withFolder(async (folder) => {
      const paths = [...Array(most).keys()].map((i) => join(folder, `result_${i}`));
      await this.#ask({ do: "sample", task, paths });
      const results: Float32Array[] = [];
      for (let i = 0; i < (await Array.fromAsync(Deno.readDir(folder))).length; i++) {
        results.push(new Float32Array((await Deno.readFile(paths[i]!)).buffer));
      }
      return results;
    });
  }

  async #ask(request: object): Promise<void> {
    await this.#requests.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const { value } = await this.#answers.next();
    const { error } = value === undefined ? { error: "Python ended" } : JSON.parse(value);
    if (error) throw new Error(error);
  }
}

/** What `work` makes with a folder that is gone afterwards. */
async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "fluxsr-torch-" });
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
