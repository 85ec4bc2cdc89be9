import { read, type Tensor } from "@fluxsr/kernels";
import type { Task } from "./task.ts";

/** What `record` computes from `inputs`, which it takes over. */
export function task(inputs: readonly [Tensor, ...Tensor[]], record: () => readonly Tensor[]): Task {
  const { gpu } = inputs[0];
  return {
    async run(times = 1) {
      const results = Array.from({ length: times }, record).flat();
      await gpu.sync();
      for (const result of results) result.dispose();
    },
    async sample() {
      const results = record();
      const values = await read(...results);
      for (const result of results) result.dispose();
      return values;
    },
    dispose() {
      for (const input of inputs) input.dispose();
      gpu.trim();
    },
  };
}
