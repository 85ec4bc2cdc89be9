/**
 * A failure that the user can act on: a file, an option or a model that cannot be used.
 *
 * The message is one line that names the action, the thing and the rule, e.g.
 * `Cannot load "x.safetensors": header length must fit the file: header says 9000 bytes, file has 120`.
 * The command line prints the message, then `Hint: ...` where there is one, and never the stack.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  /** What the user can do about it, one sentence. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** More GPU memory is needed than the work may take. */
export class OverBudgetError extends InputError {
  /** What would do, whole megabytes. */
  readonly neededBytes: number;
  readonly #instead: string;

  /** @param options `instead`, what else the user can do */
  constructor(message: string, { neededBytes, instead }: { neededBytes: number; instead: string }) {
    const megabytes = Math.ceil(neededBytes / 1e6);
    super(message, { hint: `raise --max-vram to ${megabytes}MB or more, or ${instead}` });
    this.neededBytes = 1e6 * megabytes;
    this.#instead = instead;
  }

  /** The same where no limit was given: what there was is all that the GPU has free. */
  ofWholeGpu(): InputError {
    const hint = `${this.#instead}, close other programs that use the GPU, or use one with more memory`;
    return new InputError(this.message, { hint, cause: this });
  }
}
