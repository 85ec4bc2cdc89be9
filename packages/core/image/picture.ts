/**
 * A decoded picture: interleaved sRGB, alpha apart.
 *
 * `rgb` [height, width, 3] and `alpha` [height, width] hold 0..255 for depth 8 (Uint8Array), 0..65535 for depth 16
 * (Uint16Array). Colours are straight, that is, not multiplied by alpha.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 16;
  readonly rgb: Uint8Array | Uint16Array;
  readonly alpha?: Uint8Array | Uint16Array;
  /** True if the file was grey: all three channels have the same values. */
  readonly grey: boolean;
  /** EXIF from its byte-order mark on (no "Exif" prefix), orientation reset to 1; that of TIFF is not read. */
  readonly exif?: Uint8Array;
  /** What the user should be told, e.g. `animated: used frame 1 of 12`. */
  readonly notes: readonly string[];
}
