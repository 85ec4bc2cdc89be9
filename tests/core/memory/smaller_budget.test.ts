import { BufferLimitError, OutOfMemoryError, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { byteSize } from "../../../packages/core/memory/byte_size.ts";
import { OverBudgetError } from "../../../packages/core/errors.ts";
import { withinLess } from "../../../packages/core/memory/smaller_budget.ts";
import { gpu } from "../../helpers/gpu.ts";

/** What becomes of work that ends in turn as `ends` has it, and the budgets that it had. */
async function attempts(ends: readonly (Error | "done")[], { budget = Infinity } = {}) {
  const budgets: number[] = [], notices: string[] = [];
  using _ = tensor(gpu, new Float32Array([1]), [1]);
  gpu.buffers.budget = budget;
  try {
    const work = () => {
      const end = ends[budgets.length]!;
      budgets.push(gpu.buffers.budget);
      return end === "done" ? Promise.resolve(end) : Promise.reject(end);
    };
    const result = await withinLess(gpu, work, { onNotice: (line) => void notices.push(line) })
      .catch((error) => error);
    return { result, budgets, notices, after: gpu.buffers.budget };
  } finally {
    gpu.buffers.budget = Infinity;
  }
}

const scarce = new OutOfMemoryError("no room");

test("withinLess() goes on within less and less, and then without a budget again", async () => {
  const { result, budgets, notices, after } = await attempts([scarce, scarce, "done"]);
  const { peak } = gpu.memory;
  const first = Math.floor(0.85 * peak);
  expect([result, budgets, after]).toEqual(["done", [Infinity, first, Math.floor(0.85 * first)], Infinity]);
  expect(notices).toEqual(
    budgets.slice(1).map((bytes) =>
      `The GPU ran out of memory: going on within ${byteSize(bytes)}, as with --max-vram`
    ),
  );
});

test.each<[string, Error, number]>([
  ["memory that runs out within a budget", scarce, 1e9],
  ["a buffer that the adapter does not allow", new BufferLimitError("too large"), Infinity],
  ["any other failure", new Error("cut off"), Infinity],
])("withinLess() tells of %s", async (_, error, budget) => {
  expect(await attempts([error], { budget })).toEqual({ result: error, budgets: [budget], notices: [], after: budget });
});

test("withinLess() does not tell to raise a limit that was not given", async () => {
  const refused = new OverBudgetError("Cannot go on", { neededBytes: 8e6, instead: "use a smaller --tile" });
  expect(refused.hint).toBe("raise --max-vram to 8MB or more, or use a smaller --tile");
  const { result } = await attempts([scarce, refused]);
  expect(result).toMatchObject({
    name: "InputError",
    message: "Cannot go on",
    hint: "use a smaller --tile, close other programs that use the GPU, or use one with more memory",
  });
  expect((await attempts([refused], { budget: 1e9 })).result).toBe(refused);
});
