import { UsageError } from "./_errors.ts";

/** A parser of an option's value for Commander: a whole number, of plain digits, from `min` to `max`. */
export function wholeNumber(
  flag: string,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): (text: string) => number {
  const rule = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`Cannot use ${flag} "${text}": it must be a whole number ${rule}`);
  };
}

/** A parser of an option's value for Commander: a decimal number from `min` to `max`. */
export function number(flag: string, { min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`Cannot use ${flag} "${text}": it must be a number from ${min} to ${max}`);
  };
}

/** A parser of an option's value for Commander: one of `values`. */
export function oneOf<T extends string>(flag: string, values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((each) => each === text);
    if (value !== undefined) return value;
    throw new UsageError(`Cannot use ${flag} "${text}": it must be one of ${values.join(", ")}`);
  };
}

/** A parser of an option's value for Commander: a path, hence not empty. */
export function path(flag: string): (text: string) => string {
  return (text) => {
    if (text !== "") return text;
    throw new UsageError(`Cannot use ${flag} "": it must be a path`);
  };
}
