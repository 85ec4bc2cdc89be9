import type { Gpu } from "@fluxsr/kernels";
import { requireSamples, WrongResultError } from "../check.ts";
import { median, repeats, timestamps } from "../measure.ts";
import type { Course } from "./course.ts";
import { open as openFluxsr } from "./fluxsr.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";
import { openTorch } from "./torch.ts";

/** Rounds of a race; all libraries take their turn in each, so that a disturbance meets all of them. */
const ROUNDS = 5;
/** Computations in a batch: as many as take us this long, at most so many, with results of at most so many bytes. */
const BATCH = { milliseconds: 200, most: 500, bytes: 2 ** 32 };

/** The outcome of a race: milliseconds of one computation (wall time of a batch, divided), or why there are none. */
export interface Race {
  readonly name: string;
  readonly batch: number;
  readonly fluxsr: number;
  /** Ours by timestamps on the GPU. */
  readonly fluxsr_gpu: number;
  readonly peers: Readonly<Record<string, number | string>>;
  /** How many times longer the best peer on WebGPU takes; left out if none finished. */
  readonly ratio?: number;
}

/** A library, or why it could not be opened, and whether it computes by WebGPU. */
export type Runner = {
  readonly name: string;
  readonly webgpu: boolean;
  readonly peer?: Peer;
  readonly failure?: string;
};

/** Opens the peers; one that fails is told in every race, and stops nothing. PyTorch is among them where CUDA is. */
export async function openPeers(): Promise<Runner[]> {
  const modules = [
    { name: "jax-js", load: () => import("./jax.ts") },
    { name: "tfjs", load: () => import("./tfjs.ts") },
    { name: "ort-web", load: () => import("./ort.ts") },
  ];
  const runners: Runner[] = [];
  for (const { name, load } of modules) {
    try {
      runners.push({ name, webgpu: true, peer: await (await load()).open() });
    } catch (error) {
      runners.push({ name, webgpu: true, failure: reason(error) });
    }
  }
  const torch = await openTorch();
  return [...runners, ...torch.map((peer) => ({ name: peer.name, webgpu: false, peer }))];
}

/**
 * Races our kernels against `peers`: every result is checked first, then all enqueue equal batches and wait once each.
 * @throws {WrongResultError} if our own result is wrong
 */
export async function race(gpu: Gpu, course: Course, peers: readonly Runner[]): Promise<Race> {
  const samples = [...course.samples()];
  const enter = async (peer: Peer) => {
    const task = await course.enter(peer);
    try {
      requireSamples(`${course.name} of ${peer.name}`, await task.sample(), samples, peer.tolerance);
      return task;
    } catch (error) {
      task.dispose();
      throw error;
    }
  };
  const own = await enter(openFluxsr(gpu));
  const tasks = new Map<string, Task>();
  const failures = new Map<string, string>();
  for (const { name, peer, failure = "failed" } of peers) {
    try {
      if (peer) tasks.set(name, await enter(peer));
      else failures.set(name, failure);
    } catch (error) {
      failures.set(name, reason(error));
    }
  }
  const [one = 0] = await timestamps(gpu, 1, () => own.run());
  const most = Math.max(1, Math.min(BATCH.most, Math.floor(BATCH.bytes / course.bytes)));
  const batch = repeats(one, { least: 1, most, milliseconds: BATCH.milliseconds });
  const results = await rounds(
    new Map<string, () => Promise<number>>([
      ["fluxsr", () => wall(own, batch)],
      ...[...tasks].map(([name, task]) => [name, () => wall(task, batch)] as const),
      ["fluxsr_gpu", async () => median(await timestamps(gpu, batch, () => own.run(batch)))],
    ]),
  );
  for (const task of [own, ...tasks.values()]) task.dispose();

  const [fluxsr, fluxsr_gpu] = [results.get("fluxsr"), results.get("fluxsr_gpu")];
  if (typeof fluxsr !== "number" || typeof fluxsr_gpu !== "number") {
    throw new Error(`Cannot race ${course.name}: ${[fluxsr, fluxsr_gpu].find((each) => typeof each === "string")}`);
  }
  const cells = Object.fromEntries(
    peers.map(({ name }) => [name, failures.get(name) ?? results.get(name) ?? "failed"]),
  );
  const finished = peers.filter(({ webgpu }) => webgpu).map(({ name }) => cells[name])
    .filter((cell) => typeof cell === "number");
  const ratio = finished.length > 0 ? { ratio: Math.min(...finished) / fluxsr } : {};
  return { name: course.name, batch, fluxsr, fluxsr_gpu, peers: cells, ...ratio };
}

/** Milliseconds of one computation: a batch is enqueued, waited for once, and divided. */
async function wall(task: Task, batch: number): Promise<number> {
  const start = performance.now();
  await task.run(batch);
  return (performance.now() - start) / batch;
}

/** The median of what each turn returns, or why it failed; a turn that failed is not taken again. */
async function rounds(turns: ReadonlyMap<string, () => Promise<number>>): Promise<Map<string, number | string>> {
  const results = new Map<string, number[] | string>([...turns.keys()].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, turn] of turns) {
      const times = results.get(name);
      if (typeof times === "object") {
        await turn().then((time) => times.push(time), (error) => results.set(name, reason(error)));
      }
    }
  }
  return new Map([...results].map(([name, times]) => [name, typeof times === "string" ? times : median(times)]));
}

function reason(error: unknown): string {
  if (error instanceof WrongResultError) return "wrong result";
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] || "failed";
}
