import { parseByteSize } from "@fluxsr/core";
import { UsageError } from "./_errors.ts";

/** How the files of a model are named and divided. */
export const LAYOUTS = ["diffusers", "bfl"] as const;

/** A parser of an option's value for Commander: a size such as `500MB` or `5GB`, in bytes. */
export function sizeInBytes(flag: string): (text: string) => number {
  return (text) => {
    const bytes = parseByteSize(text);
    if (bytes !== undefined) return bytes;
    throw new UsageError(`Cannot use ${flag} "${text}": it must be a size such as 500MB or 5GB`);
  };
}
