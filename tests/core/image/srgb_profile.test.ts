import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { isSrgbProfile } from "../../../packages/core/image/_srgb_profile.ts";

/** The parts of a profile that count: colour space, and one tag, the description (version 2: ASCII, 4: UTF-16). */
function profile(space: string, description: string, encoding: "latin1" | "utf16le" = "latin1"): Uint8Array {
  const text = Buffer.from(description, encoding);
  if (encoding === "utf16le") text.swap16();
  const icc = Buffer.alloc(160 + text.length);
  icc.write(space, 16, "latin1");
  icc.writeUInt32BE(1, 128);
  icc.write("desc", 132, "latin1");
  icc.writeUInt32BE(144, 136);
  icc.writeUInt32BE(16 + text.length, 140);
  icc.set(text, 160);
  return icc;
}

test("isSrgbProfile() knows sRGB by its description", () => {
  expect(isSrgbProfile(profile("RGB ", "sRGB IEC61966-2.1"))).toBe(true);
  expect(isSrgbProfile(profile("RGB ", "GIMP built-in sRGB", "utf16le"))).toBe(true);
});

test("isSrgbProfile() takes nothing else for sRGB", () => {
  expect(isSrgbProfile(profile("RGB ", "Adobe RGB (1998)"))).toBe(false);
  expect(isSrgbProfile(profile("RGB ", "GIMP built-in Linear sRGB"))).toBe(false);
  expect(isSrgbProfile(profile("RGB ", "sRGB-elle-V2-g10.icc"))).toBe(false);
  expect(isSrgbProfile(profile("GRAY", "sRGB grey"))).toBe(false);
  expect(isSrgbProfile(new Uint8Array(20))).toBe(false);
});
