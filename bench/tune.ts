import { candidateTilings, classOf, type Gpu, type ProductShape, type Tiling, Tuning } from "@fluxsr/kernels";
import type { Case, Work } from "./case.ts";
import { checkWork } from "./check.ts";
import { gpuTimes, median, timestamps } from "./measure.ts";

/** A choice is kept if it is better than the rules' by more than the noise. */
const WORTH = 0.95;

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
 * Tries every way of computing the products in `cases`, each checked, and leaves what is best as the tuning of `gpu`;
 * `show` gets a line for each class of shapes.
 */
export async function tune(gpu: Gpu, cases: readonly Case[], show: (line: string) => void): Promise<void> {
  const done = new Set<string>();
  const before = gpu.tuning.toJSON();
  const trial = gpu.tuning = new Trial();
  for (const { name, open } of cases.filter(({ name }) => /^(matmul|conv2d)/.test(name))) {
    trial.asked.clear();
    const work = open(gpu);
    await timestamps(gpu, 1, () => dispose(work));
    for (const [className, shape] of [...trial.asked].filter(([className]) => !done.has(className))) {
      done.add(className);
      const best = await fastest({ gpu, trial, name, work }, shape);
      if (best.tiling) trial.set(shape, best.tiling);
      show(
        `${className.padEnd(40)} ${describe(best.tiling)}, ${(best.ms / best.byRule).toFixed(2)} of the rules' time`,
      );
    }
    work.tape?.close();
    for (const input of work.inputs) input.dispose();
    gpu.trim();
  }
  const others = Object.entries(before).filter(([className]) => !done.has(className));
  gpu.tuning = new Tuning({ ...Object.fromEntries(others), ...trial.toJSON() });
}

/** The best way for `shape` in `work`; none if it is as good as what the rules suggest. */
async function fastest(
  { gpu, trial, name, work }: { gpu: Gpu; trial: Trial; name: string; work: Work },
  shape: ProductShape,
): Promise<{ tiling: Tiling | undefined; ms: number; byRule: number }> {
  trial.forced = undefined;
  const byRule = median(await gpuTimes(gpu, work.run));
  let best: { tiling: Tiling | undefined; ms: number } = { tiling: undefined, ms: byRule };
  for (const tiling of candidateTilings(gpu.adapter, shape)) {
    trial.forced = { shape: classOf(shape), tiling };
    await checkWork(gpu, `${name} by ${describe(tiling)}`, work); // and compiles it
    const [once = Infinity] = await timestamps(gpu, 1, () => dispose(work));
    if (once > HOPELESS * best.ms) continue;
    const ms = median(await gpuTimes(gpu, work.run));
    if (ms < (best.tiling ? 1 : WORTH) * best.ms) best = { tiling, ms };
  }
  trial.forced = undefined;
  return { ...best, byRule };
}

function dispose(work: Work): void {
  for (const each of [work.run()].flat()) each.dispose();
}

function describe(tiling: Tiling | undefined): string {
  if (!tiling) return "as the rules have it";
  const { by, rows, columns, splits } = tiling;
  return `${by} ${rows}x${columns}${splits === 1 ? "" : ` in ${splits} parts`}`;
}
