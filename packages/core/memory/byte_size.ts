const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** The bytes of a size such as `500MB` or `7.2 GB`, whole and at least 1; undefined: it is no such text. */
export function parseByteSize(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?(MB|GB)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? NaN));
  return bytes >= 1 ? bytes : undefined;
}
