import { describe, expect, test } from "vitest";
import { number, oneOf, path, wholeNumber } from "../../packages/cli/_options.ts";

describe("wholeNumber()", () => {
  const parse = wholeNumber("--scale", { min: 1, max: 8 });

  test("takes plain digits in the range", () => {
    expect(["1", "4", "8", "08"].map(parse)).toEqual([1, 4, 8, 8]);
  });

  test.each(["0", "9", "-1", "2.5", "4x", "0x4", "1e0", "", " 4", "NaN", "Infinity"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(`Cannot use --scale "${text}": it must be a whole number from 1 to 8`);
  });

  test("names the lower end alone where there is no upper one", () => {
    expect(() => wholeNumber("--tile", { min: 1 })("0")).toThrow("it must be a whole number of at least 1");
    expect(() => wholeNumber("--seed", { min: 0 })("9007199254740993")).toThrow("Cannot use --seed");
  });
});

describe("number()", () => {
  const parse = number("--strength", { min: 0, max: 1 });

  test("takes decimals in the range, both ends too", () => {
    expect(["0", "0.6", ".25", "1", "1.0"].map(parse)).toEqual([0, 0.6, 0.25, 1, 1]);
  });

  test.each(["1.01", "-0.5", "1e-1", "50%", "0,5", "", ".", "1.", "NaN", "Infinity"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(`Cannot use --strength "${text}": it must be a number from 0 to 1`);
  });
});

test("oneOf() takes the listed words only", () => {
  const parse = oneOf("--color-fix", ["wavelet", "none"]);
  expect(parse("none")).toBe("none");
  expect(() => parse("None")).toThrow(`Cannot use --color-fix "None": it must be one of wavelet, none`);
});

test("path() refuses the empty one", () => {
  expect(path("--output")("a/")).toBe("a/");
  expect(() => path("--output")("")).toThrow(`Cannot use --output ""`);
});
