import { InputError } from "@fluxsr/core";

/** Typed reads of a JSON object; each throws an {@linkcode InputError} that names the file and the field. */
export interface Fields {
  readonly keys: readonly string[];
  has(key: string): boolean;
  text(key: string): string;
  number(key: string): number;
  numbers(key: string): number[];
  texts(key: string): string[];
  object(key: string): Fields;
  objects(key: string): Fields[];
  /** The object with only those of `keys` that it has. */
  pick(keys: readonly string[]): Record<string, unknown>;
}

/** The fields of `json`, the contents of `path` or, for messages, `place` in it. */
export function fieldsOf(path: string, json: unknown, place = ""): Fields {
  const fail = (key: string, rule: string) => new InputError(`Cannot read "${path}": ${place}${key} must be ${rule}`);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new InputError(`Cannot read "${path}": ${place === "" ? "contents" : place.slice(0, -1)} must be an object`);
  }
  const object = json as Readonly<Record<string, unknown>>;
  const has = (key: string) => Object.hasOwn(object, key) && object[key] !== null;

  function get<T>(key: string, rule: string, isGood: (value: unknown) => boolean): T {
    if (!has(key) || !isGood(object[key])) throw fail(key, rule);
    return object[key] as T;
  }

  const listOf = (isGood: (value: unknown) => boolean) => (value: unknown) =>
    Array.isArray(value) && value.every(isGood);
  return {
    keys: Object.keys(object),
    has,
    text: (key) => get(key, "text", isText),
    number: (key) => get(key, "a number", Number.isFinite),
    numbers: (key) => get(key, "a list of numbers", listOf(Number.isFinite)),
    texts: (key) => get(key, "a list of texts", listOf(isText)),
    object: (key) => fieldsOf(path, get(key, "an object", () => true), `${place}${key}.`),
    objects: (key) =>
      get<unknown[]>(key, "a list", Array.isArray).map((each, i) => fieldsOf(path, each, `${place}${key}.${i}.`)),
    pick: (keys) => Object.fromEntries(keys.filter(has).map((key) => [key, object[key]])),
  };
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
