/** `softmax(x + bias)` over rows of `width`; row r of x takes row r of the bias, which starts again at its end. */
export function softmax(x: ArrayLike<number>, { bias, width }: { bias: ArrayLike<number>; width: number }): number[] {
  const y: number[] = [];
  for (let begin = 0; begin < x.length; begin += width) {
    const scores = Array.from({ length: width }, (_, i) => x[begin + i]! + bias[(begin + i) % bias.length]!);
    const highest = Math.max(...scores);
    const exponentials = scores.map((score) => Math.exp(score - highest));
    const sum = exponentials.reduce((total, each) => total + each, 0);
    y.push(...exponentials.map((each) => each / sum));
  }
  return y;
}
