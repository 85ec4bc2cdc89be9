/** The finaliser of MurmurHash3 for 32 bits (Austin Appleby, public domain): mixes `x`, a whole number, to [0, 2^32). */
export function hashBits(x: number): number {
  x = Math.imul(x ^ x >>> 16, 0x85ebca6b);
  x = Math.imul(x ^ x >>> 13, 0xc2b2ae35);
  return (x ^ x >>> 16) >>> 0;
}
