import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { Gpu } from "@fluxsr/kernels";
import sharp from "sharp";
import { MetricsLog } from "../../packages/train/log/metrics_log.ts";
import type { Batch, Stage } from "../../packages/train/stage.ts";
import { type RunConfig, train, type TrainResult } from "../../packages/train/trainer.ts";
import { gpu, random } from "../helpers/gpu.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** A folder with `count` pictures: coloured waves. */
export async function pictureFolder({ count = 3, width = 101, height = 97 } = {}): Promise<string> {
  const folder = temporaryFolder();
  for (let i = 0; i < count; i++) {
    const [dx = 0, dy = 0, phase = 0] = random([3], 100 + i);
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
      const [x, y, c] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width), at % 3];
      return 128 + 90 * Math.sin(0.3 * dx * x + 0.3 * dy * y + 3 * phase + c);
    });
    await sharp(Buffer.from(rgb), { raw: { width, height, channels: 3 } }).png().toFile(join(folder, `${i}.png`));
  }
  return folder;
}

/** The path of a JSON file with `contents`. */
export function jsonFile(contents: object): string {
  const path = join(temporaryFolder(), "config.json");
  Deno.writeTextFileSync(path, JSON.stringify(contents));
  return path;
}

/** A stage and its configuration. */
export interface Pretraining<C, B extends Batch> {
  readonly open: (gpu: Gpu, config: C, tell: { notice: (text: string) => void }) => Promise<Stage<B>>;
  readonly config: C;
}

/** Runs a stage to its end in the folder of its configuration, or until step `stopAt`. */
export async function run<C extends RunConfig & { out: string }, B extends Batch>(
  { open, config }: Pretraining<C, B>,
  { stopAt, resume = false }: { stopAt?: number; resume?: boolean } = {},
): Promise<TrainResult> {
  using stage = await open(gpu, config, { notice: () => {} });
  const stop = new AbortController();
  const batch = stage.batch.bind(stage);
  stage.batch = (index) => {
    if (index.step + 1 === stopAt) stop.abort();
    return batch(index);
  };
  return await train(stage, { config, out: config.out, resume, log: new MetricsLog(config.out), signal: stop.signal });
}

/** A record of metrics.jsonl. */
interface MetricRecord {
  readonly step: number;
  readonly loss?: Record<string, number>;
  readonly validation?: Record<string, number>;
}

async function records(out: string): Promise<MetricRecord[]> {
  return (await Deno.readTextFile(join(out, "metrics.jsonl"))).trim().split("\n").map((line) => JSON.parse(line));
}

/** The figures of each validation of the run in `out`. */
export async function validations(out: string): Promise<Record<string, number>[]> {
  return (await records(out)).flatMap(({ validation }) => validation ? [validation] : []);
}

/** A term of the loss, mean over steps `first` to `last`. */
export async function meanLoss(out: string, term: string, [first, last]: readonly [number, number]): Promise<number> {
  const losses = (await records(out)).flatMap(({ step, loss }) =>
    loss && step >= first && step <= last ? [loss[term] ?? NaN] : []
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
