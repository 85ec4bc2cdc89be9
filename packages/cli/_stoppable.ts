/**
 * Runs `work` with a signal that the first interrupt (Ctrl-C) of the user raises: the work ends when it next can. The
 * second interrupt ends the process at once.
 */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const forget = () => Deno.removeSignalListener("SIGINT", raise);
  const raise = () => {
    stop.abort();
    forget();
  };
  Deno.addSignalListener("SIGINT", raise);
  try {
    return await work(stop.signal);
  } finally {
    if (!stop.signal.aborted) forget();
  }
}
