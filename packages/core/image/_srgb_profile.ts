/**
 * Whether an ICC profile calls itself sRGB.
 *
 * Such files already hold what we want, and libvips would not return them unchanged: it converts through 16-bit Lab and
 * an interpolated table, which moves saturated colours (pure red 255 to 253) and 16-bit values.
 */
export function isSrgbProfile(icc: Uint8Array): boolean {
  const ascii = (start: number, length: number) => String.fromCharCode(...icc.subarray(start, start + length));
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength);
  if (icc.length < 132 || ascii(16, 4) !== "RGB ") return false;
  const tags = Math.min(view.getUint32(128), Math.floor((icc.length - 132) / 12));
  for (let tag = 132; tag < 132 + 12 * tags; tag += 12) {
    if (ascii(tag, 4) !== "desc") continue;
    // ASCII in version 2, UTF-16 in version 4: without the NULs both read the same.
    const description = ascii(view.getUint32(tag + 4), Math.min(view.getUint32(tag + 8), 512)).replaceAll("\0", "");
    return description.includes("sRGB") && !/linear|g10|scRGB/i.test(description);
  }
  return false;
}
