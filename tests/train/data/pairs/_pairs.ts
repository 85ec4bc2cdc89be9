/** Pairs that need no model, in folders that go away. */
import { identifyModel } from "../../../../packages/train/data/pairs/model_hash.ts";
import type { PairsSettings } from "../../../../packages/train/data/pairs/manifest.ts";
import type { PairMaker } from "../../../../packages/train/data/pairs/pair.ts";
import { STARTER } from "../../../helpers/starter.ts";

export const SETTINGS: PairsSettings = {
  model: await identifyModel(STARTER),
  source: "teacher",
  size: 6,
  latent: [2, 3, 5],
  solver: "euler",
  steps: 3,
  schedule: "flux",
  guidance: 3.5,
  seed: 1,
  prompts: { count: 2, sha256: "b".repeat(64) },
  pairs_per_shard: 3,
  batch_size: 1,
};

/** Pairs whose numbers tell which they are; it counts those that it made. */
export class ToyMaker implements PairMaker {
  made: number[] = [];

  make(i: number) {
    this.made.push(i);
    const latent = (value: number) => new Float32Array(30).fill(value);
    return Promise.resolve({
      eps: latent(i + 0.5),
      z_0: latent(-i),
      x_0: new Uint8Array(6 * 6 * 3).fill(i),
      prompt: i % 2,
      round_trip: i / 8,
    });
  }
}

/** All files of a folder with their contents. */
export function contentsOf(dir: string): Record<string, string> {
  const names = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, String(Deno.readFileSync(`${dir}/${name}`))]));
}

/** Changes one byte in the middle of a file. */
export function damage(path: string): void {
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length - 5]! ^= 1;
  Deno.writeFileSync(path, bytes);
}
