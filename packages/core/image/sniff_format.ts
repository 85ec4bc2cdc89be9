/** File signatures: name, offset, bytes as Latin-1. The first that matches wins. */
const SIGNATURES: readonly (readonly [name: string, offset: number, bytes: string])[] = [
  ["PNG", 0, "\x89PNG\r\n\x1a\n"],
  ["JPEG", 0, "\xff\xd8\xff"],
  ["WebP", 8, "WEBP"],
  ["TIFF", 0, "II*\0"],
  ["TIFF", 0, "MM\0*"],
  ["TIFF", 0, "II+\0"],
  ["TIFF", 0, "MM\0+"],
  ["GIF", 0, "GIF8"],
  ["BMP", 0, "BM"],
  ["PDF", 0, "%PDF"],
  ["Photoshop PSD", 0, "8BPS"],
  ["JPEG XL", 0, "\xff\x0a"],
  ["JPEG XL", 4, "JXL "],
  ["JPEG 2000", 4, "jP  "],
  ["OpenEXR", 0, "v/1\x01"],
  ["Radiance HDR", 0, "#?RADIANCE"],
  ["Windows icon", 0, "\0\0\x01\0"],
];

/**
 * The name of a picture file's format by its first bytes, whatever its extension says; undefined for no known format.
 *
 * @param head The first 1024 bytes of the file, or more
 */
export function sniffFormat(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, 1024));
  if (text.startsWith("ftyp", 4)) return isobmffFormat(text);
  if (/^[^<]*(<[?!][^>]*>\s*)*<svg[\s>]/.test(text)) return "SVG";
  return SIGNATURES.find(([, offset, bytes]) => text.startsWith(bytes, offset))?.[0];
}

/** AVIF and HEIC share a container; the brands (four letters each) tell them apart. */
function isobmffFormat(text: string): string | undefined {
  const brands = text.slice(8, text.charCodeAt(3)).match(/.{4}/gs) ?? [];
  if (brands.some((brand) => brand === "avif" || brand === "avis")) return "AVIF";
  return brands.some((brand) => /^(hei|hev|mif1)/.test(brand)) ? "HEIC" : undefined;
}
