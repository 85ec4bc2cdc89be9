import { InputError } from "../errors.ts";
import { quote, showNames, showValue } from "./messages.ts";

/** Fields larger than this are mistakes, and would make anyone who trusts them wait or run out of memory. */
const MAX_INTEGER = 2 ** 20;

/**
 * Typed reads of the fields of a JSON object; `path` is the file, for messages.
 * Every read throws an {@linkcode InputError} `Cannot read "<path>": <field> must be <rule>: it is <value>`, also when
 * a field without `fallback` is missing. A field that is null counts as missing.
 */
export class JsonFields {
  readonly path: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(path: string, json: unknown) {
    this.path = path;
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new InputError(`Cannot read ${quote(path)}: contents must be a JSON object: it is ${showValue(json)}`);
    }
    this.#fields = json as Record<string, unknown>;
  }

  has(key: string): boolean {
    return (Object.hasOwn(this.#fields, key) ? this.#fields[key] : undefined) != null;
  }

  integer(
    key: string,
    { min = 1, max = MAX_INTEGER, fallback }: { min?: number; max?: number; fallback?: number } = {},
  ): number {
    return this.#read(key, (value) => isInteger(value, min, max), `an integer from ${min} to ${max}`, fallback);
  }

  integers(key: string, { fallback }: { fallback?: readonly number[] } = {}): readonly number[] {
    const isGood = (value: unknown) =>
      Array.isArray(value) && value.length >= 1 && value.length <= 16 &&
      value.every((each) => isInteger(each, 1, MAX_INTEGER));
    return this.#read(key, isGood, `a list of 1 to 16 integers from 1 to ${MAX_INTEGER}`, fallback);
  }

  /** A finite number that `isGood`, which `rule` says in words. */
  number(
    key: string,
    { rule = "a number", isGood = () => true, fallback }: {
      rule?: string;
      isGood?: (value: number) => boolean;
      fallback?: number;
    } = {},
  ): number {
    return this.#read(key, (value) => Number.isFinite(value) && isGood(value as number), rule, fallback);
  }

  boolean(key: string, { fallback }: { fallback?: boolean } = {}): boolean {
    return this.#read(key, (value) => typeof value === "boolean", "true or false", fallback);
  }

  /** The text of `key`; undefined if it is missing. */
  text(key: string): string | undefined {
    const isGood = (value: unknown) => typeof value === "string" && value !== "";
    return this.has(key) ? this.#read<string>(key, isGood, "text") : undefined;
  }

  /** Checks that `key`, if it is there, is `value`. */
  exactly(key: string, value: string | number): void {
    if (this.has(key) && this.#fields[key] !== value) throw this.error(key, JSON.stringify(value));
  }

  /** @throws {InputError} naming the keys that are not `known`; keys that begin with "_" are comments. */
  onlyKnown(known: readonly string[]): void {
    const unknown = Object.keys(this.#fields).filter((key) => !known.includes(key) && !key.startsWith("_"));
    if (unknown.length === 0) return;
    throw new InputError(`Cannot read ${quote(this.path)}: keys must be known ones: it has ${showNames(unknown)}`, {
      hint: `the known ones are ${known.join(", ")}`,
    });
  }

  /** The error that field `key` must follow `rule`. */
  error(key: string, rule: string): InputError {
    const value = Object.hasOwn(this.#fields, key) ? this.#fields[key] : undefined;
    return new InputError(`Cannot read ${quote(this.path)}: ${key} must be ${rule}: it is ${showValue(value)}`);
  }

  #read<T>(key: string, isGood: (value: unknown) => boolean, rule: string, fallback?: T): T {
    if (!this.has(key) && fallback !== undefined) return fallback;
    if (!this.has(key) || !isGood(this.#fields[key])) throw this.error(key, rule);
    return this.#fields[key] as T;
  }
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
