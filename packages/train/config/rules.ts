/** The kinds of values that configurations have; each error message is the rule that completes "must be". */
import { parseByteSize } from "@fluxsr/core";
import { z } from "zod";

const BYTES = "a size such as 500MB or 24GB";
const TEXT = "text that is not empty";
const LIST = "a list of texts that are not empty";
const COUNT = "a whole number of at least 1";
const WHOLE = "a whole number of at least 0";
const POSITIVE = "a number above 0";
const NOT_NEGATIVE = "a number of at least 0";
const SHARE = "a number from 0 to 1, without 1";

/** A path or a name. */
export const text = z.string(TEXT).min(1, TEXT);
/** An amount of memory, as `24GB`. */
export const byteSize = z.string(BYTES).refine((text) => parseByteSize(text) !== undefined, BYTES);
/** Paths or names. */
export const texts = z.array(z.string(LIST).min(1, LIST), LIST).min(1, LIST);
/** 1, 2, ... */
export const count = z.number(COUNT).int(COUNT).min(1, COUNT);
/** 0, 1, ... */
export const whole = z.number(WHOLE).int(WHOLE).min(0, WHOLE);
/** Above 0. */
export const positive = z.number(POSITIVE).positive(POSITIVE);
/** 0 or above, e.g. the weight of a loss. */
export const notNegative = z.number(NOT_NEGATIVE).nonnegative(NOT_NEGATIVE);
/** In [0, 1), e.g. the decay of a moving average. */
export const share = z.number(SHARE).min(0, SHARE).lt(1, SHARE);
/** A time of the flow that a step can start at, in (0, 1]. */
export const time = z.number("a number above 0 and at most 1")
  .gt(0, "a number above 0 and at most 1").max(1, "a number above 0 and at most 1");
/** Times larger. */
export const factor = z.number("a whole number from 1 to 8")
  .int("a whole number from 1 to 8").min(1, "a whole number from 1 to 8").max(8, "a whole number from 1 to 8");
/** Places of the grid of tokens. */
export const shifts = z.number("1, 2 or 4").refine((n) => [1, 2, 4].includes(n), "1, 2 or 4");
/** Any number. */
export const real = z.number("a number");
/** True or false. */
export const flag = z.boolean("true or false");

/** One of `values`. */
export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, `one of ${values.join(", ")}`);
}
