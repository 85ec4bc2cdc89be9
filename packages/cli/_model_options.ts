import { UsageError } from "./_errors.ts";

/** How the files of a model are named and divided. */
export const LAYOUTS = ["diffusers", "bfl"] as const;

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** A parser of an option's value for Commander: a size such as `500MB` or `5GB`, in bytes. */
export function sizeInBytes(flag: string): (text: string) => number {
  return (text) => {
    const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?(MB|GB)$/i.exec(text) ?? [];
    const bytes = Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? NaN));
    if (bytes >= 1) return bytes;
    throw new UsageError(`Cannot use ${flag} "${text}": it must be a size such as 500MB or 5GB`);
  };
}
