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
