const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** The bytes of a size such as `500MB` or `7.2 GB`, whole and at least 1; undefined: it is no such text. */
export function parseByteSize(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?(MB|GB)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? NaN));
  return bytes >= 1 ? bytes : undefined;
}

/** Bytes with three digits, `335 MB`, as {@linkcode parseByteSize} reads them. */
export function byteSize(bytes: number): string {
  for (const [unit, name] of [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]] as const) {
    if (bytes >= unit) return `${Number((bytes / unit).toPrecision(3))} ${name}`;
  }
  return `${bytes} B`;
}
