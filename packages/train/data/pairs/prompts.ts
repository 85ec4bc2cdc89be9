import { InputError, isWeightDtype, type Model, openSafetensors, toF32 } from "@fluxsr/core";
import { type Gpu, read, tensor } from "@fluxsr/kernels";
import { bytesOf, sha256 } from "./sha256.ts";

/** What the transformer is told of texts: `txt` [B, T, context_in_dim] and `y` [B, vec_in_dim]. */
type Conditioning = Model["conditioning"];

/** The texts that pairs are made with, in turn; those in use are in memory. */
export interface Prompts {
  readonly count: number;
  /** Tells these prompts from others: of all values of `txt`, then of all of `y`, as f32. */
  readonly sha256: string;
  /** Which prompt pair `i` has. */
  of(i: number): number;
  /** Prompts `indices`, one a sample, on the GPU; the caller's own. */
  conditioning(gpu: Gpu, indices: readonly number[]): Promise<Conditioning>;
}

/** The values of prompt `index`. */
type ReadPrompt = (part: "txt" | "y", index: number) => Promise<Float32Array<ArrayBuffer>>;

/**
 * The prompts in the safetensors file `path`: tensors `txt` [P, T, context_in_dim] and `y` [P, vec_in_dim], of which a
 * single prompt may leave out the P. Without a file, the model's own text. The file is read once now, for its digest.
 *
 * @throws {InputError} if a tensor is missing, does not fit the transformer, or is not finite
 */
export async function openPrompts(model: Model, path: string | undefined): Promise<Prompts> {
  const { context_in_dim, vec_in_dim } = model.config.transformer;
  const { count, read } = path === undefined
    ? await ownText(model)
    : await promptFile(path, { context_in_dim, vec_in_dim });
  async function* contents() {
    yield `${count} ${[context_in_dim, vec_in_dim]}\n`;
    for (const part of ["txt", "y"] as const) {
      for (let i = 0; i < count; i++) yield bytesOf(await read(part, i));
    }
  }
  return {
    count,
    sha256: await sha256(contents()),
    of: (i) => i % count,
    async conditioning(gpu, indices) {
      const batch = indices.length;
      const joined = async (part: "txt" | "y") => {
        const parts = await Promise.all(indices.map((index) => read(part, index)));
        const length = parts[0]?.length ?? 0;
        const values = new Float32Array(batch * length);
        parts.forEach((each, k) => values.set(each, k * length));
        return values;
      };
      const txt = await joined("txt"), y = await joined("y");
      return {
        txt: tensor(gpu, txt, [batch, txt.length / batch / context_in_dim, context_in_dim]),
        y: tensor(gpu, y, [batch, vec_in_dim]),
      };
    },
  };
}

async function ownText({ conditioning }: Model): Promise<{ count: number; read: ReadPrompt }> {
  const [txt, y] = await read(conditioning.txt, conditioning.y);
  return { count: 1, read: (part) => Promise.resolve(part === "txt" ? txt! : y!) };
}

/** The widths of text that a transformer takes. */
type TextWidths = Pick<Model["config"]["transformer"], "context_in_dim" | "vec_in_dim">;

function promptError(path: string, state: string): InputError {
  return new InputError(`Cannot use prompts "${path}": ${state}`);
}

/**
 * How many prompts the safetensors file `path` has, and tokens in each; only its header is read.
 * @throws {InputError} if a tensor is missing, or does not fit a transformer of these widths
 */
export async function promptSizes(
  path: string,
  { context_in_dim, vec_in_dim }: TextWidths,
): Promise<{ count: number; tokens: number }> {
  const fail = (state: string) => promptError(path, state);
  using file = await openSafetensors(path);
  const shapeOf = (name: string) => {
    const { shape, dtype } = file.tensors.get(name) ?? {};
    if (!shape) throw fail(`it must have tensors txt and y: ${name} is missing`);
    if (!isWeightDtype(dtype!)) throw fail(`${name} must be F32, F16 or BF16: it is ${dtype}`);
    return shape;
  };
  const txt = shapeOf("txt"), y = shapeOf("y");
  const [P = 0, T = 0, context] = txt.length === 2 ? [1, ...txt] : txt;
  const [pooledP = 0, pooled] = y.length === 1 ? [1, ...y] : y;
  if (context !== context_in_dim || P * T === 0 || txt.length > 3) {
    throw fail(`txt must be [P, T, ${context_in_dim}]: it is [${txt.join(", ")}]`);
  }
  if (pooled !== vec_in_dim || pooledP !== P || y.length > 2) {
    throw fail(`y must be [${P}, ${vec_in_dim}]: it is [${y.join(", ")}]`);
  }
  return { count: P, tokens: T };
}

/** The prompts of a file, which is only open while it is read. */
async function promptFile(path: string, widths: TextWidths): Promise<{ count: number; read: ReadPrompt }> {
  const { count } = await promptSizes(path, widths);
  const read: ReadPrompt = async (part, index) => {
    using file = await openSafetensors(path);
    const { dtype, shape } = file.tensors.get(part)!;
    const rows = (shape[0] ?? 1) / count;
    const bytes = await file.readRows(part, [index * rows, (index + 1) * rows]);
    const values = toF32(bytes, isWeightDtype(dtype) ? dtype : "F32");
    if (values.every(Number.isFinite)) return values;
    throw promptError(path, `${part} must be finite: it has NaN or infinity`);
  };
  return { count, read };
}
