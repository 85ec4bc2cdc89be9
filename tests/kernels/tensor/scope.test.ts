import { add, affine, clamp, empty, read, scoped, scopedAsync, Tape, tensor } from "@fluxsr/kernels";
import { beforeEach, expect, test } from "vitest";
import { gpu } from "../../helpers/gpu.ts";

let before = 0;
const BYTES = 1024;
beforeEach(() => {
  before = gpu.memory.live;
});

/** The number of tensors alive beyond those at the start of the test. */
function alive(): number {
  return (gpu.memory.live - before) / BYTES;
}

function make() {
  return empty(gpu, [BYTES / 4]);
}

test("frees all but the result", async () => {
  const values = new Float32Array(BYTES / 4).fill(1);
  const result = scoped(gpu, () => {
    const one = tensor(gpu, values, [BYTES / 4]);
    const two = add(one, one);
    return add(two, one);
  });
  expect(alive()).toBe(1);
  expect(await read(result)).toEqual([values.map(() => 3)]);
  result.dispose();
  expect(alive()).toBe(0);
});

test("frees all where there is no result", () => {
  scoped(gpu, () => {
    make();
    make();
  });
  expect(alive()).toBe(0);
});

test("keeps the tensors of an array, and one that is in it twice once", () => {
  const [a, b] = scoped(gpu, () => {
    const kept = make();
    make();
    return [kept, kept] as const;
  });
  expect(alive()).toBe(1);
  expect(a).toBe(b);
  a.dispose();
  expect(alive()).toBe(0);
});

test("keeps the tensors of a record", () => {
  const { shift, scale } = scoped(gpu, () => {
    const [shift, scale] = [make(), make()];
    make();
    return { shift, scale };
  });
  expect(alive()).toBe(2);
  shift.dispose();
  scale.dispose();
  expect(alive()).toBe(0);
});

test("leaves tensors from outside alone, also as a result", () => {
  const outside = make();
  const result = scoped(gpu, () => {
    make();
    return outside;
  });
  expect(result).toBe(outside);
  expect(alive()).toBe(1);
  outside.dispose();
});

test("hands the result of an inner scope to the outer one", () => {
  scoped(gpu, () => {
    const kept = scoped(gpu, () => {
      make();
      return make();
    });
    expect(alive()).toBe(1);
    affine(kept, { scale: 2 });
    expect(alive()).toBe(2);
  });
  expect(alive()).toBe(0);
});

test("frees everything when the body throws, and the outer scope goes on", () => {
  scoped(gpu, () => {
    make();
    expect(() =>
      scoped(gpu, () => {
        make();
        throw new Error("stop");
      })
    ).toThrow("stop");
    expect(alive()).toBe(1);
    make();
    expect(alive()).toBe(2);
  });
  expect(alive()).toBe(0);
});

test("lets a tensor be disposed early", () => {
  scoped(gpu, () => {
    using _early = make();
    make().dispose();
    make();
  });
  expect(alive()).toBe(0);
});

test("leaves what an open tape holds until that is closed", () => {
  const tape = new Tape(gpu);
  const watched = make();
  tape.watch(watched);
  scoped(gpu, () => {
    clamp(watched, 0, 1);
    clamp(make(), 0, 1);
  });
  expect(alive()).toBe(1); // clamp's input
  tape.close();
  watched.dispose();
  expect(alive()).toBe(0);
});

test("jobs that wait in turns keep their own tensors, and so does what runs between them", async () => {
  const { promise: later, resolve } = Promise.withResolvers<void>();
  const job = async () => {
    make();
    await later;
    make();
    return make();
  };
  const jobs = [scopedAsync(gpu, job), scopedAsync(gpu, job)];
  const between = make();
  const after = later.then(make);
  resolve();
  const results = await Promise.all(jobs);
  expect(alive()).toBe(4);
  for (const each of [...results, between, await after]) each.dispose();
  expect(alive()).toBe(0);
});

test("a job's tensor that another disposes is not freed twice", async () => {
  let made: ReturnType<typeof make> | undefined;
  const { promise: later, resolve } = Promise.withResolvers<void>();
  const job = scopedAsync(gpu, async () => {
    made = make();
    await later;
  });
  made!.dispose();
  resolve();
  await job;
  expect(alive()).toBe(0);
});
