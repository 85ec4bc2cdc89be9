/**
 * Attention and its gradients by workgroups of 128 rows, which take 46 KiB of workgroup memory: more than the adapter of the
 * tests has. The weights, 34 KiB of that, are moved to storage; all else is as on hardware.
 */
import { attention, empty, Gpu, gradients, type Groups, type Kernel, read, Tape, type Tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import type { PooledBuffer } from "../../../packages/kernels/gpu/buffer_pool.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";

const WEIGHTS = "var<workgroup> weights: array<array<array<vec4f, 17>, 16>, 4u * HALVES>;";
const BYTES = 8 * 16 * 17 * 16;

/** `kernel` with its weights in one more storage buffer, of which each workgroup has a part; batch 1 and up to two groups of rows. */
function withWeightsInStorage(kernel: Kernel): Kernel {
  const binding = kernel.accesses.length;
  const sources = kernel.sources.map((source) =>
    source
      .replaceAll(/\bweights\[/g, "all_weights[group_number][")
      .replace(
        WEIGHTS,
        [
          `@group(0) @binding(${binding}) var<storage, read_write> all_weights: array<array<array<array<vec4f, 17>, 16>, 8>>;`,
          "var<private> group_number: u32;",
        ].join(" "),
      )
      .replaceAll("workgroupBarrier()", "storageBarrier(); workgroupBarrier()")
      .replace(
        "let place = place_of_thread(i);",
        "group_number = group.x + 2u * group.y; let place = place_of_thread(i);",
      )
  );
  return {
    ...kernel,
    sources,
    binds: { ...kernel.binds, all_weights: "read_write" },
    accesses: [...kernel.accesses, "read_write"],
  };
}

/** A GPU with the workgroup memory of most hardware. */
class Roomy extends Gpu {
  readonly rows: string[] = [];
  readonly #moved = new Map<Kernel, Kernel>();

  override run<P extends string>(
    kernel: Kernel<string, P>,
    work: { buffers: readonly PooledBuffer[]; params: Readonly<Record<P, number>>; groups: Groups },
  ): void {
    if (!kernel.sources.some((source) => source.includes(WEIGHTS))) return super.run(kernel, work);
    this.rows.push(`${kernel.name} ${kernel.constants.HALVES} ${kernel.constants.WIDE}`);
    const moved = this.#moved.get(kernel) ?? withWeightsInStorage(kernel);
    this.#moved.set(kernel, moved);
    using weights = empty(this, [work.groups[0] * work.groups[1] * BYTES / 4]);
    super.run<P>(moved as Kernel<string, P>, { ...work, buffers: [...work.buffers, weights.buffer] });
  }
}

function attend(on: Gpu, [queries, keys, heads, channels]: readonly number[]): Tensor[] {
  const shapes = [queries, keys, keys, queries].map((length) => [1, length!, heads!, channels!]);
  const [q, k, v, dout] = shapes.map((shape, i) => randomTensor(shape, i + 1, on).tensor);
  using tape = new Tape(on);
  for (const each of [q!, k!, v!]) tape.watch(each);
  const out = attention(q!, k!, v!);
  tape.stop();
  return [out, ...gradients(tape, out, { seed: dout!, wanted: [q!, k!, v!] })];
}

test.each([[130, 131, 64, 4], [255, 129, 64, 68]])(
  "attention() of %i queries and %i keys, %i heads of %i, and its gradients are those of the adapter's own way",
  async (...sizes) => {
    const roomy = new Roomy(gpu.device, { ...hardwareGpu().adapter, workgroupMemory: 49_152 });
    const expected = await read(...attend(gpu, sizes));
    const results = attend(roomy, sizes);
    for (const [i, result] of results.entries()) await expectClose(result, expected[i]!);
    const wide = Number(sizes[3] > 64);
    expect(roomy.rows).toEqual(
      ["forward", "backward_q", "backward_k", "backward_v"].map((name) => `attention.${name} 2 ${wide}`),
    );
  },
);
