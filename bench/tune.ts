import { candidateTilings, classOf, type Gpu, type ProductShape, type Tiling, Tuning } from "@fluxsr/kernels";
import { InputError } from "@fluxsr/core";
import type { Case, Work } from "./case.ts";
import { checkWork } from "./check.ts";
import { duel } from "./duel.ts";
import { gpuTimes, median, timestamps } from "./measure.ts";
import { timedBy } from "./run_rows.ts";

/** A choice is kept if it takes less than this of the rules' time: a few per cent are noise. */
const WORTH = 0.95;

/** Runs in one round of the duel with the rules. */
const ROUND = { least: 3, most: 50, milliseconds: 200 };

/** The ops that are products. */
const PRODUCTS = /^(matmul|conv2d)/;

/** What takes so many times as long as the best in one run is not timed further. */
const HOPELESS = 1.5;

/** A tuning that tells what it is asked, and answers one question as it is told. */
class Trial extends Tuning {
  readonly asked = new Map<string, ProductShape>();
  forced: { readonly shape: string; readonly tiling: Tiling } | undefined;

  override product(shape: ProductShape): Tiling | undefined {
    const name = classOf(shape);
    this.asked.set(name, shape);
    return this.forced?.shape === name ? this.forced.tiling : super.product(shape);
  }
}

/**
 * The products whose name or shape contains `filter`, as the adapter can do them.
 * @throws {InputError} if there are none
 */
export function productsBy(adapter: { readonly software: boolean }, filter: string): Case[] {
  const { cases } = timedBy(adapter, filter);
  const products = cases.filter(({ name }) => PRODUCTS.test(name));
  if (products.length === 0) {
    throw new InputError(`Cannot tune "${filter}": it must be part of a product's name or shape: it is of none`, {
      hint: "products are the rows of matmul, conv2d and their backward passes",
    });
  }
  return products;
}

/**
 * Tries every way of computing the products in `cases`, each checked, and leaves what is best as the tuning of `gpu`;
 * `show` gets a line for each class of shapes.
 */
export async function tune(gpu: Gpu, cases: readonly Case[], show: (line: string) => void): Promise<void> {
  const done = new Set<string>();
  const before = gpu.tuning.toJSON();
  const trial = gpu.tuning = new Trial();
  for (const { name, open } of cases) {
    trial.asked.clear();
    const work = open(gpu);
    await timestamps(gpu, 1, () => dispose(work));
    for (const [className, shape] of [...trial.asked].filter(([className]) => !done.has(className))) {
      done.add(className);
      const best = await fastest({ gpu, trial, name, work }, shape);
      if (best.tiling) trial.set(shape, best.tiling);
      show(`${className.padEnd(40)} ${describe(best.tiling)}, ${best.ratio.toFixed(2)} of the rules' time`);
    }
    work.tape?.close();
    for (const input of work.inputs) input.dispose();
    gpu.trim();
  }
  const others = Object.entries(before).filter(([className]) => !done.has(className));
  gpu.tuning = new Tuning({ ...Object.fromEntries(others), ...trial.toJSON() });
}

/**
 * The best way for `shape` in `work`, and its share of the rules' time; none if it is as good as what the rules suggest.
 * Of many ways that are all alike one looks better by luck: so the winner has to win again, in turns with the rules.
 */
async function fastest(
  { gpu, trial, name, work }: { gpu: Gpu; trial: Trial; name: string; work: Work },
  shape: ProductShape,
): Promise<{ tiling: Tiling | undefined; ratio: number }> {
  const timed = async (tiling: Tiling | undefined, enough?: typeof ROUND) => {
    trial.forced = tiling && { shape: classOf(shape), tiling };
    return median(await gpuTimes(gpu, work.run, enough));
  };
  const byRule = await timed(undefined);
  let best: { tiling: Tiling | undefined; ms: number } = { tiling: undefined, ms: byRule };
  for (const tiling of candidateTilings(gpu.adapter, shape)) {
    trial.forced = { shape: classOf(shape), tiling };
    await checkWork(gpu, `${name} by ${describe(tiling)}`, work); // and compiles it
    const [once = Infinity] = await timestamps(gpu, 1, () => dispose(work));
    if (once > HOPELESS * best.ms) continue;
    const ms = await timed(tiling);
    if (ms < (best.tiling ? 1 : WORTH) * best.ms) best = { tiling, ms };
  }
  const { tiling } = best;
  const ratio = tiling ? await duel({ first: () => timed(undefined, ROUND), second: () => timed(tiling, ROUND) }) : 1;
  trial.forced = undefined;
  return ratio < WORTH ? { tiling, ratio } : { tiling: undefined, ratio: 1 };
}

function dispose(work: Work): void {
  for (const each of [work.run()].flat()) each.dispose();
}

function describe(tiling: Tiling | undefined): string {
  if (!tiling) return "as the rules have it";
  const { by, rows, columns, splits } = tiling;
  return `${by} ${rows}x${columns}${splits === 1 ? "" : ` in ${splits} parts`}`;
}
