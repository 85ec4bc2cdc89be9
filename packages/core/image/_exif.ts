const ORIENTATION = 0x0112;

/**
 * An EXIF block without the "Exif\0\0" prefix that some containers put before it, its orientation set to 1 (upright).
 *
 * @returns undefined for a block that is damaged
 */
export function uprightExif(block: Uint8Array): Uint8Array | undefined {
  const prefixed = new TextDecoder().decode(block.subarray(0, 4)) === "Exif";
  const exif = Uint8Array.from(block.subarray(prefixed ? 6 : 0)); // not slice(): of a Node Buffer that is a view
  const view = new DataView(exif.buffer);
  try {
    const mark = view.getUint16(0);
    if (mark !== 0x4949 && mark !== 0x4d4d) return undefined;
    const little = mark === 0x4949;
    const directory = view.getUint32(4, little);
    const entries = view.getUint16(directory, little);
    for (let i = 0; i < entries; i++) {
      const entry = directory + 2 + 12 * i;
      if (view.getUint16(entry, little) === ORIENTATION) view.setUint16(entry + 8, 1, little);
    }
    return exif;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
