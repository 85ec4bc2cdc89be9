/** A value at a step. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

/** More points than this are not told apart in a panel. */
const BUCKETS = 250;

/** The part of a curve that its running average covers. */
const SPAN = 1 / 60;

/** The finite values of a name, in the order of steps. */
export function seriesOf(records: readonly { step: number; values: Readonly<Record<string, number>> }[], name: string) {
  return records.map(({ step, values }): Point => ({ step, value: values[name] ?? NaN }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.step - b.step);
}

/** Exponential running average, without a bias to the first value; as long as the series. */
export function smoothed(points: readonly Point[]): Point[] {
  const decay = 1 - 1 / Math.max(1, points.length * SPAN);
  let [sum, weight] = [0, 0];
  return points.map(({ step, value }) => {
    sum = decay * sum + value;
    weight = decay * weight + 1;
    return { step, value: sum / weight };
  });
}

/** At most two points for each of as many parts as a panel can show: the smallest and the largest value. */
export function thinned(points: readonly Point[]): Point[] {
  if (points.length <= 2 * BUCKETS) return [...points];
  return Array.from({ length: BUCKETS }, (_, i) => {
    const bucket = points.slice(start(i), start(i + 1)).sort((a, b) => a.value - b.value);
    return [bucket[0]!, bucket.at(-1)!].sort((a, b) => a.step - b.step);
  }).flat();

  function start(bucket: number): number {
    return Math.floor(bucket * points.length / BUCKETS);
  }
}
