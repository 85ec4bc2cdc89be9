import { affine, DeviceLostError, openGpu, read, scoped, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";

/** A GPU whose device was destroyed under it, with work recorded before. */
async function lost() {
  const gpu = await openGpu();
  const x = tensor(gpu, new Float32Array([1, 2]), [2]);
  const y = affine(x, { scale: 2 });
  gpu.device.destroy();
  return { gpu, x, y };
}

describe("after the device is lost", () => {
  test("read() says so", async () => {
    const { y } = await lost();
    const failure = await read(y).catch((error) => error);
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect(failure.name).toBe("DeviceLostError");
    expect(failure.message).toMatch(/^Cannot use the GPU: the device was lost \(destroyed\)/);
    expect(failure.hint).toMatch(/^restart the program/);
  });

  test("sync() says so", async () => {
    const { gpu } = await lost();
    await expect(gpu.sync()).rejects.toThrow(DeviceLostError);
  });

  test("profile() says so", async () => {
    const { gpu, x } = await lost();
    await expect(gpu.profile(() => affine(x, { scale: 2 }))).rejects.toThrow(DeviceLostError);
  });

  test("run() says so as soon as the loss is known, and every later wait again", async () => {
    const { gpu, x, y } = await lost();
    await expect(gpu.sync()).rejects.toThrow(DeviceLostError);
    expect(() => affine(x, { scale: 2 })).toThrow(DeviceLostError);
    await expect(read(y)).rejects.toThrow(DeviceLostError);
    await expect(gpu.sync()).rejects.toThrow(DeviceLostError);
  });

  test("memory can still be freed", async () => {
    const { gpu, x, y } = await lost();
    await expect(gpu.sync()).rejects.toThrow(DeviceLostError);
    expect(() => scoped(gpu, () => affine(x, { scale: 2 }))).toThrow(DeviceLostError);
    x.dispose();
    y.dispose();
    gpu.trim();
    expect(gpu.memory).toMatchObject({ live: 0, reserved: 0 });
    gpu.destroy();
  });
});

test("a GPU can be opened after another was destroyed", async () => {
  (await openGpu()).destroy();
  using gpu = await openGpu();
  using x = tensor(gpu, new Float32Array([1]), [1]);
  using y = affine(x, { offset: 1 });
  expect(await read(y)).toEqual([new Float32Array([2])]);
});
