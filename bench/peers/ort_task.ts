import * as ort from "onnxruntime-web/webgpu";
import type { Port } from "./onnx_model.ts";
import type { Task } from "./task.ts";

/** An input and what it holds. */
export type Input = Port & { readonly values: Float32Array<ArrayBuffer> };

/** The output `y` of an ONNX model on inputs that are on the GPU. */
export async function task(model: Uint8Array, inputs: readonly Input[]): Promise<Task> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
    logSeverityLevel: 3, // errors
  });
  const { device } = ort.env.webgpu as { device: Promise<GPUDevice> };
  const gpu = await device;
  const buffers = inputs.map(({ values }) => upload(gpu, values));
  const feeds = Object.fromEntries(inputs.map(({ name, shape }, i) => [
    name,
    ort.Tensor.fromGpuBuffer(buffers[i]!, { dataType: "float32", dims: [...shape] }),
  ]));
  const once = async () => (await session.run(feeds))["y"]!;
  return {
    async run(times = 1) {
      const results: ort.Tensor[] = [];
      for (let i = 0; i < times; i++) results.push(await once()); // resolves when the work is submitted
      await gpu.queue.onSubmittedWorkDone();
      for (const result of results) result.dispose();
    },
    async sample() {
      const y = await once();
      const values = await y.getData(true) as Float32Array;
      return [values];
    },
    dispose() {
      for (const buffer of buffers) buffer.destroy();
      session.release();
    },
  };
}

function upload(gpu: GPUDevice, values: Float32Array<ArrayBuffer>): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = gpu.createBuffer({ size: values.byteLength, usage });
  gpu.queue.writeBuffer(buffer, 0, values);
  return buffer;
}
