import { add, affine, empty, GpuError, groups1d, multiply, read, tensor } from "@fluxsr/kernels";
import { afterEach, describe, expect, test, vi } from "vitest";
import { kernels } from "../../../packages/kernels/ops/elementwise.ts";
import { gpu, random, randomTensor } from "../../helpers/gpu.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Adds to `x` in place `count` times, each time with params of its own: the offsets 1 .. count. */
function addInTurns(count: number) {
  let x = tensor(gpu, new Float32Array(3), [3]);
  for (let i = 1; i <= count; i++) {
    const next = affine(x, { offset: i });
    x.dispose();
    x = next;
  }
  return x;
}

describe("run()", () => {
  test("gives each of more dispatches than one batch holds its own params", async () => {
    using x = addInTurns(5000);
    expect(await read(x)).toEqual([new Float32Array(3).fill(5000 * 5001 / 2)]);
  });

  test("waits for nothing and submits nothing by itself within a batch", async () => {
    const submit = vi.spyOn(gpu.device.queue, "submit");
    using x = tensor(gpu, random([4]), [4]);
    using y = affine(x, { scale: 2 });
    using z = add(y, y);
    expect(submit).not.toHaveBeenCalled();
    await read(z);
    expect(submit).toHaveBeenCalledTimes(1);
  });

  test("refuses a wrong number of buffers by name and goes on", async () => {
    using x = tensor(gpu, new Float32Array([1]), [1]);
    expect(() =>
      gpu.run(kernels.affine, {
        buffers: [x.buffer],
        params: { count: 1, alpha: 1, beta: 0 },
        groups: groups1d(1, 64),
      })
    ).toThrow(new RangeError(`Cannot run "elementwise.affine": it binds 2 buffers: given 1`));
    using y = affine(x, { offset: 1 });
    expect(await read(y)).toEqual([new Float32Array([2])]);
  });

  test("refuses a bad param and goes on, however often", async () => {
    using x = tensor(gpu, new Float32Array([1]), [1]);
    for (let i = 0; i < 5000; i++) expect(() => affine(x, { scale: NaN })).toThrow(`param "alpha" must be a valid f32`);
    using y = affine(x, { offset: 1 });
    expect(await read(y)).toEqual([new Float32Array([2])]);
  });
});

describe("write()", () => {
  test("comes after what was recorded before and before what is recorded after", async () => {
    using x = tensor(gpu, new Float32Array([1, 2]), [2]);
    using before = affine(x, { scale: 10 });
    gpu.write(x.buffer, new Float32Array([3, 4]));
    using after = affine(x, { scale: 10 });
    expect(await read(before, after)).toEqual([new Float32Array([10, 20]), new Float32Array([30, 40])]);
  });

  test("submits only what uses the buffer", async () => {
    using x = tensor(gpu, new Float32Array([1, 2]), [2]);
    using unused = tensor(gpu, new Float32Array(2), [2]);
    await gpu.sync();
    const submit = vi.spyOn(gpu.device.queue, "submit");
    using first = affine(x, { scale: 10 });
    gpu.write(unused.buffer, new Float32Array([3, 4]));
    using second = add(first, unused);
    expect(submit).not.toHaveBeenCalled();
    gpu.write(x.buffer, new Float32Array([5, 6]));
    expect(submit).toHaveBeenCalledTimes(1);
    expect(await read(second, x)).toEqual([new Float32Array([13, 24]), new Float32Array([5, 6])]);
  });

  test("is submitted by the next sync(), which frees the memory that it was staged in", async () => {
    const MEBI = 2 ** 20;
    using x = empty(gpu, [8 * MEBI]);
    const data = new Float32Array(8 * MEBI).fill(1);
    const upload = async (times: number) => {
      for (let i = 0; i < times; i++) {
        gpu.write(x.buffer, data);
        await gpu.sync();
      }
    };
    await upload(2);
    const before = Deno.memoryUsage().rss;
    await upload(8);
    // Kept, the staging memory of eight uploads would be 256 MiB.
    expect(Deno.memoryUsage().rss - before).toBeLessThan(128 * MEBI);
  });

  test("replaces the start of a buffer only", async () => {
    using x = tensor(gpu, new Float32Array([1, 2, 3]), [3]);
    gpu.write(x.buffer, new Float32Array([9]));
    expect(await read(x)).toEqual([new Float32Array([9, 2, 3])]);
  });
});

describe("read()", () => {
  test("reads many buffers of different sizes in one wait", async () => {
    const map = vi.spyOn(GPUBuffer.prototype, "mapAsync");
    const inputs = [1, 7, 64, 1000].map((size) => randomTensor([size], size));
    const values = await read(...inputs.map(({ tensor }) => tensor));
    expect(values).toEqual(inputs.map(({ data }) => data));
    expect(map).toHaveBeenCalledTimes(1);
    for (const { tensor } of inputs) tensor.dispose();
  });

  test("reads what is more than 256 MiB in several waits", async () => {
    const map = vi.spyOn(GPUBuffer.prototype, "mapAsync");
    const large = [1, 2, 3].map((value) => {
      const x = empty(gpu, [25 * 2 ** 20]);
      gpu.write(x.buffer, Float32Array.of(value));
      return x;
    });
    const values = await gpu.read(large.map(({ buffer, size }) => ({ buffer, bytes: 4 * size })));
    expect(values.map((bytes) => new Float32Array(bytes, 0, 1)[0])).toEqual([1, 2, 3]);
    expect(values.map(({ byteLength }) => byteLength)).toEqual([1, 2, 3].map(() => 100 * 2 ** 20));
    expect(map).toHaveBeenCalledTimes(2);
    for (const each of large) each.dispose();
    gpu.trim();
  });

  test("reads byte counts that are no multiple of 4", async () => {
    using x = tensor(gpu, new Uint8Array([1, 2, 3, 4, 5, 6]), [3], "f16");
    const [bytes = new ArrayBuffer()] = await gpu.read([{ buffer: x.buffer, bytes: 6 }]);
    expect(new Uint8Array(bytes)).toEqual(new Uint8Array([1, 2, 3, 4, 5, 6]));
  });

  test("of nothing gives nothing", async () => {
    expect(await read()).toEqual([]);
    expect(await gpu.read([])).toEqual([]);
  });
});

describe("an error of recorded work", () => {
  function tooManyGroups() {
    using x = tensor(gpu, new Float32Array(4), [4]);
    using y = empty(gpu, [4]);
    gpu.run(kernels.affine, {
      buffers: [x.buffer, y.buffer],
      params: { count: 4, alpha: 1, beta: 0 },
      groups: [65536, 1, 1],
    });
  }

  test.each(["sync", "read"])("is thrown by the next %s(), once", async (wait) => {
    using x = tensor(gpu, new Float32Array([5]), [1]);
    tooManyGroups();
    const failure = await (wait === "sync" ? gpu.sync() : read(x)).catch((error) => error);
    expect(failure).toBeInstanceOf(GpuError);
    expect(failure.message).toMatch(/^Cannot run GPU work: .*65535/);
    expect(await read(x)).toEqual([new Float32Array([5])]);
  });

  test("does not reach a read() before it", async () => {
    using x = tensor(gpu, new Float32Array([5]), [1]);
    expect(await read(x)).toEqual([new Float32Array([5])]);
    tooManyGroups();
    await expect(gpu.sync()).rejects.toThrow(GpuError);
  });
});

describe("repeated work", () => {
  /** Some ops whose temporaries are freed in an order that is not that of their making. */
  function step(x: ReturnType<typeof tensor>) {
    const a = affine(x, { scale: 2 });
    const b = multiply(a, x);
    const c = add(a, b);
    b.dispose();
    const d = add(c, a);
    a.dispose();
    const e = multiply(d, c);
    d.dispose();
    c.dispose();
    return e;
  }

  test("finds its bind groups again", async () => {
    using x = randomTensor([1000]).tensor;
    step(x).dispose();
    const create = vi.spyOn(gpu.device, "createBindGroup");
    for (let i = 0; i < 50; i++) step(x).dispose();
    await gpu.sync();
    expect(create).not.toHaveBeenCalled();
  });

  test("does not grow memory", async () => {
    const SIZE = 256 * 1024;
    using x = randomTensor([SIZE]).tensor;
    async function once() {
      using y = step(x);
      await read(y);
    }
    for (let i = 0; i < 50; i++) await once();
    const before = { gpu: gpu.memory, rss: Deno.memoryUsage().rss };
    for (let i = 0; i < 200; i++) await once();
    expect(gpu.memory).toEqual(before.gpu);
    // 200 runs handle 1.2 GiB of tensors and read 200 MiB; V8's own heap moves by some tens of MiB.
    expect(Deno.memoryUsage().rss - before.rss).toBeLessThan(64 * 2 ** 20);
  });
});
