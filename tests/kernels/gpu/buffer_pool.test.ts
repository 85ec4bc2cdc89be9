import { add, BufferLimitError, DryGpu, empty, emptyTogether, OutOfMemoryError, read, tensor } from "@fluxsr/kernels";
import { afterEach, describe, expect, test, vi } from "vitest";
import { gpu, random } from "../../helpers/gpu.ts";

const pool = gpu.buffers;
const MEBI = 2 ** 20;

afterEach(() => {
  vi.restoreAllMocks();
  gpu.trim();
});

describe("acquire()", () => {
  test("rounds up to eight sizes an octave, from 256 bytes", () => {
    const sizes = [0, 1, 256, 257, 2049, 2304, 2305, MEBI, MEBI + 1].map((bytes) => {
      const buffer = pool.acquire(bytes);
      pool.release(buffer);
      return buffer.size;
    });
    expect(sizes).toEqual([256, 256, 256, 512, 2304, 2304, 2560, MEBI, MEBI / 8 * 9]);
  });

  test("hands a released buffer out again, and never one in use", () => {
    const first = pool.acquire(1000);
    const second = pool.acquire(1000);
    expect(second).not.toBe(first);
    pool.release(first);
    expect(pool.acquire(900)).toBe(first);
    for (const buffer of [first, second]) pool.release(buffer);
  });

  test("hands out the oldest free buffer, whatever the order of release", () => {
    const buffers = [1, 2, 3, 4].map(() => pool.acquire(1000));
    const order = [2, 0, 3, 1].map((i) => buffers[i]);
    order.forEach((buffer) => buffer && pool.release(buffer));
    const again = buffers.map(() => pool.acquire(1000));
    expect(again).toEqual(buffers);
    for (const buffer of again) pool.release(buffer);
  });

  test("keeps a buffer until its last reference is dropped", () => {
    const buffer = pool.acquire(64);
    pool.retain(buffer);
    pool.release(buffer);
    const other = pool.acquire(64);
    expect(other).not.toBe(buffer);
    pool.release(other);
    pool.release(buffer);
    expect(() => pool.release(buffer)).toThrow(`Cannot release GPU buffer ${buffer.id}: it has no references left`);
  });

  test("refuses more than the adapter's limit", () => {
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const failure = new BufferLimitError(
      `Cannot allocate a GPU buffer: ${limit + 1} bytes are more than the adapter's limit of ${limit}`,
      "do less at a time: smaller tiles, pictures, batches or texts",
    );
    expect(() => pool.acquire(limit + 1)).toThrow(failure);
    expect(() => empty(gpu, [limit])).toThrow(BufferLimitError);
  });

  test("rounds sizes just below the limit to the limit, not beyond", async () => {
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const buffer = pool.acquire(Math.floor(limit / 4) * 4 - 4);
    expect(buffer.size).toBeLessThanOrEqual(limit);
    await gpu.sync();
    pool.release(buffer);
  });
});

test("memory counts what is in use, what is reserved and the most ever reserved", () => {
  const before = gpu.memory;
  const a = pool.acquire(MEBI);
  const b = pool.acquire(MEBI);
  expect(gpu.memory.live - before.live).toBe(2 * MEBI);
  pool.release(a);
  expect(gpu.memory.live - before.live).toBe(MEBI);
  expect(gpu.memory.reserved - before.reserved).toBe(2 * MEBI);
  pool.release(b);
  gpu.trim();
  expect(gpu.memory.live).toBe(before.live);
  expect(gpu.memory.reserved).toBe(before.live);
  expect(gpu.memory.peak).toBeGreaterThanOrEqual(before.reserved + 2 * MEBI);
});

test("what was given back counts as unsettled until the queue has run", async () => {
  gpu.trim();
  await gpu.sync();
  expect(pool.unsettled).toBe(0);
  pool.release(pool.acquire(MEBI));
  gpu.trim();
  expect(pool.unsettled).toBe(MEBI);
  await gpu.sync();
  expect(pool.unsettled).toBe(0);
});

test("trim() spares what is in use, and results of recorded work", async () => {
  using a = tensor(gpu, new Float32Array([1, 2]), [2]);
  using sum = add(a, a);
  const temporary = add(sum, sum);
  temporary.dispose();
  gpu.trim();
  expect(await read(sum)).toEqual([new Float32Array([2, 4])]);
});

/** The next allocation fails as when the GPU has no memory left: doing that for real would take the machine's. */
function refuseNextAllocation() {
  vi.spyOn(gpu.device, "popErrorScope").mockResolvedValueOnce(new GPUOutOfMemoryError("injected"));
}

describe("when the GPU is out of memory", () => {
  test("the next wait throws, once, and says how much was wanted", async () => {
    refuseNextAllocation();
    using _refused = empty(gpu, [MEBI]);
    const failure = await gpu.sync().catch((error) => error);
    expect(failure).toBeInstanceOf(OutOfMemoryError);
    expect(failure.message).toBe(`Cannot allocate a GPU buffer of ${4 * MEBI} bytes: the GPU is out of memory`);
    expect(failure.hint).toBe("do less at a time: smaller tiles, pictures, batches or texts");
    await gpu.sync();
  });

  test.each(["before", "after"])(
    "a refused buffer released %s the failure is known is not used again",
    async (when) => {
      const before = gpu.memory;
      refuseNextAllocation();
      const refused = pool.acquire(3 * MEBI);
      if (when === "before") pool.release(refused);
      await expect(gpu.sync()).rejects.toThrow(OutOfMemoryError);
      if (when === "after") pool.release(refused);
      const next = pool.acquire(3 * MEBI);
      expect(next).not.toBe(refused);
      pool.release(next);
      expect(gpu.memory.reserved - before.reserved).toBe(3 * MEBI);
    },
  );
});

test("a budget is kept by giving free buffers back, and refuses what does not fit beside those in use", () => {
  gpu.trim();
  const before = gpu.memory.reserved;
  pool.budget = before + 3 * MEBI;
  try {
    const kept = pool.acquire(MEBI);
    pool.release(pool.acquire(2 * MEBI));
    const other = pool.acquire(1.5 * MEBI);
    expect(gpu.memory.reserved - before).toBe(2.5 * MEBI);
    expect(() => pool.acquire(MEBI)).toThrow(OutOfMemoryError);
    for (const buffer of [kept, other]) pool.release(buffer);
    pool.release(pool.acquire(3 * MEBI));
  } finally {
    pool.budget = Infinity;
  }
});

test("livePeak is the most in use since it was restarted", () => {
  const a = pool.acquire(MEBI);
  pool.restartPeak();
  const { live } = gpu.memory;
  pool.release(pool.acquire(2 * MEBI));
  expect(gpu.memory).toMatchObject({ live, livePeak: live + 2 * MEBI });
  pool.release(a);
});

describe("acquireTogether()", () => {
  test("cuts parts from one allocation, free again once all are released", () => {
    gpu.trim();
    const before = gpu.memory;
    const parts = pool.acquireTogether([1000, MEBI, 0, 256]);
    expect(parts.map(({ offset, size }) => [offset, size])).toEqual([
      [0, 1024],
      [1024, MEBI],
      [1024 + MEBI, 256],
      [1280 + MEBI, 256],
    ]);
    expect(new Set(parts.map(({ raw }) => raw)).size).toBe(1);
    expect(gpu.memory.live - before.live).toBe(MEBI + 1536);
    const [last, ...others] = parts.toReversed();
    for (const part of others) pool.release(part);
    expect(gpu.memory.live - before.live).toBe(MEBI + 1536);
    pool.release(last!);
    expect(gpu.memory.live).toBe(before.live);
    const again = pool.acquireTogether([MEBI + 1536]);
    expect(again[0]!.raw).toBe(parts[0]!.raw);
    pool.release(again[0]!);
  });

  test("takes several allocations where one would be too large, and none if one fails", () => {
    const largest = 2 ** 31 - 256;
    const before = gpu.memory.live;
    const dry = new DryGpu({ maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 40 });
    const parts = dry.buffers.acquireTogether([2 ** 30, 2 ** 30 - 256, 2 ** 30, largest]);
    expect(parts.map(({ offset }) => offset)).toEqual([0, 2 ** 30, 0, 0]);
    dry.buffers.budget = dry.memory.live + MEBI;
    const live = dry.memory.live;
    expect(() => dry.buffers.acquireTogether([1000, largest])).toThrow(OutOfMemoryError);
    expect(dry.memory.live).toBe(live);
    expect(gpu.memory.live).toBe(before);
  });

  test("refuses a part that could not be bound", () => {
    const dry = new DryGpu({ maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: MEBI });
    expect(() => dry.buffers.acquireTogether([1000, MEBI + 1])).toThrow(BufferLimitError);
    expect(dry.memory.live).toBe(0);
  });

  test("parts are written, computed with and read apart; who has the memory next waits for them", async () => {
    const values = [1, 2].map((seed) => random([5, 7], seed));
    const shapes = values.map(() => ({ shape: [5, 7], dtype: "f32" as const }));
    const [a, b] = emptyTogether(gpu, shapes);
    gpu.write(a!.buffer, values[0]!);
    gpu.write(b!.buffer, values[1]!);
    const sum = add(a!, b!);
    a!.dispose();
    b!.dispose();
    const [c] = emptyTogether(gpu, shapes);
    gpu.write(c!.buffer, new Float32Array(35).fill(9));
    const [total, second] = await read(sum, c!);
    expect(total).toEqual(values[0]!.map((value, i) => value + values[1]![i]!));
    expect([...second!]).toEqual(Array(35).fill(9));
    c!.dispose();
  });
});
