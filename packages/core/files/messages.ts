/** `"name"` for messages: on one line and short, whatever a file says. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name);
}

/** `[2, 3]` for messages. */
export function showShape(shape: readonly number[]): string {
  return shape.length > 8 ? `[${shape.slice(0, 8).join(", ")}, ...]` : `[${shape.join(", ")}]`;
}

/** The first three of `names`, and how many there are: `"a", "b", "c" (5 in all)`. */
export function showNames(names: readonly string[]): string {
  const first = names.slice(0, 3).map(quote).join(", ");
  return names.length > 3 ? `${first} (${names.length} in all)` : first;
}

/** Any JSON value for messages. */
export function showValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value)) return "an object";
  const isShort = value.length <= 16 && value.every((each) => typeof each !== "object" && typeof each !== "string");
  return isShort ? `[${value.join(", ")}]` : `a list of ${value.length}`;
}
