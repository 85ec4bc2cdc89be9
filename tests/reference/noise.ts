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

/** The nearest of the 256 levels of 8 bits; 255 x as f32 has it, ties to even. */
function levelOf(value: number): number {
  const scaled = Math.fround(255 * value);
  const rounded = scaled % 1 === 0.5 ? 2 * Math.round(scaled / 2) : Math.round(scaled);
  return Math.min(255, Math.max(0, rounded));
}

/** `x` rounded to 8 bits, in [0, 1]. */
export function quantize(value: number): number {
  return levelOf(value) / 255;
}

/** How many levels a picture has, rounded up to a power of two. */
export function poissonLevels(x: ArrayLike<number>): number {
  const levels = new Set<number>();
  for (let i = 0; i < x.length; i++) levels.add(levelOf(x[i]!));
  return 2 ** Math.ceil(Math.log2(levels.size));
}

/** The noise of counting photons at element `index`, whose value is `value`, of a picture that has so many levels. */
export function poisson(value: number, index: number, { levels, seed }: { levels: number; seed: number }): number {
  const q = quantize(value);
  const photons = philox([index, 0, 0, 0], [seed, 0]).map((word) => inverse(levels * q / 4, word));
  return photons.reduce((total, each) => total + each, 0) / levels - q;
}

/** The least k whose cumulative probability reaches the word. */
function inverse(mean: number, word: number): number {
  let k = 0, probability = Math.exp(-mean), sum = probability;
  while ((word + 0.5) / 2 ** 32 > sum) sum += probability *= mean / ++k;
  return k;
}
