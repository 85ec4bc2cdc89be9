/** Philox 4x32-10 by 64-bit products: the four words of a counter under a key. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k, l] = key.map(BigInt) as [bigint, bigint];
  const word = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * a;
    const q = 0xcd9e8d57n * c;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k, q & word, (p >> 32n) ^ d ^ l, p & word];
    k = (k + 0x9e3779b9n) & word;
    l = (l + 0xbb67ae85n) & word;
  }
  return [a, b, c, d].map(Number);
}

/** Element `index` of the normal stream of `seed`. */
export function normal(index: number, seed: number): number {
  const counter = Math.floor(index / 4);
  const halves = (value: number) => [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  const words = philox([...halves(counter), 0, 0], halves(seed));
  const pair = index % 4 < 2 ? 0 : 2;
  const radius = Math.sqrt(-2 * Math.log((words[pair]! + 0.5) / 2 ** 32));
  const angle = (words[pair + 1]! | 0) / 2 ** 31 * Math.PI;
  return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
}
