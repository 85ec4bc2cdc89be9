/** What the operating system says in an error of Deno's, without error number and path: `Permission denied`. */
export function osReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error .*/s, "");
}
