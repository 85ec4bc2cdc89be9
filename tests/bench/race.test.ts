import { expect, test } from "vitest";
import { matmulSamples } from "../../bench/cases/matmul.ts";
import type { Course } from "../../bench/peers/course.ts";
import type { Peer } from "../../bench/peers/peer.ts";
import { race } from "../../bench/peers/race.ts";
import { random } from "../../bench/random.ts";
import { matmulReference } from "../reference/matmul.ts";
import { gpu } from "../helpers/gpu.ts";

const sizes = { m: 6, k: 5, n: 7 };
const data = { ...sizes, a: random(30, 1), b: random(35, 2) };

const course: Course = {
  name: "matmul/small",
  bytes: 4 * 6 * 7,
  enter: (peer) => peer.matmul(data),
  samples: () => matmulSamples(data),
};

/** A peer on the processor, whose batches do `run`. */
function peer(name: string, run: () => Promise<void>, result = matmulReference(data.a, data.b, sizes)) {
  const task = { run, sample: () => Promise.resolve([Float32Array.from(result)]), dispose: () => {} };
  return {
    name,
    webgpu: true,
    peer: { name, version: "1", matmul: () => Promise.resolve(task) } satisfies Peer,
  };
}

const done = () => Promise.resolve();

test("the ratio is that to the fastest peer on WebGPU with a right result", async () => {
  const right = matmulReference(data.a, data.b, sizes);
  const near = right.map((value) => 1.001 * value);
  const slow = peer("slow", () => new Promise((resolve) => setTimeout(resolve, 60)));
  const cuda = { ...peer("cuda", done), webgpu: false };
  const off = peer("off", done, near);
  const rounded = { ...peer("rounded", done, near), webgpu: false };
  const tolerated = { ...rounded, peer: { ...rounded.peer, tolerance: 0.01 } };
  const { fluxsr, peers, ratio, batch } = await race(gpu, course, [off, slow, cuda, tolerated]);
  expect(peers["off"]).toBe("wrong result");
  expect(peers["slow"]).toBeGreaterThanOrEqual(50 / batch);
  expect(ratio).toBe(peers["slow"] as number / fluxsr);
  expect([peers["cuda"], peers["rounded"]]).toEqual([expect.any(Number), expect.any(Number)]);
});

test("a peer that fails is told and stops nothing", async () => {
  const absent = { name: "absent", webgpu: true, failure: "no adapter" };
  const late = peer("late", () => Promise.reject(new Error("device lost\nat once")));
  const { peers, ratio, fluxsr_gpu } = await race(gpu, course, [absent, late]);
  expect(peers).toEqual({ absent: "no adapter", late: "device lost" });
  expect(ratio).toBeUndefined();
  expect(fluxsr_gpu).toBeGreaterThan(0);
});
