import { loadModel, type Model, predictVelocity } from "@fluxsr/core";
import { normalNoise, read, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { stepVelocities } from "../../packages/core/step_velocities.ts";
import { expectClose, gpu } from "../helpers/gpu.ts";
import { STARTER } from "../helpers/starter.ts";

test("stepVelocities() are those of predictVelocity() with one shift, and with four or a notch have less of a weave", async () => {
  using model = await loadModel(gpu, STARTER);
  const channels = model.config.vae.z_channels;
  using z = normalNoise(gpu, [1, 4, 6, channels], { seed: 1 });
  const set = (settings: Partial<Model["settings"]>) => ({ ...model, settings: { ...model.settings, ...settings } });
  using once = (await stepVelocities(set({ token_shifts: 1 }), [z]))[0]!;
  using plain = predictVelocity(model, z);
  const [a = new Float32Array(), b] = await read(once, plain);
  expect(a).toEqual(b);

  const side = 12;
  using even = tensor(gpu, new Float32Array(side * side * channels).fill(0.3), [1, side, side, channels]);
  /** Of the middle: how far latents are from their neighbours, to the right and below, on average. */
  const weave = async (settings: Partial<Model["settings"]>) => {
    using v = (await stepVelocities(set(settings), [even]))[0]!;
    const [values = new Float32Array()] = await read(v);
    let sum = 0;
    for (let y = 4; y < 8; y++) {
      for (let x = 4; x < 8; x++) {
        for (let c = 0; c < channels; c++) {
          const at = (y * side + x) * channels + c;
          sum += Math.abs(values[at]! - values[at + channels]!) + Math.abs(values[at]! - values[at + side * channels]!);
        }
      }
    }
    return sum;
  };
  const plainly = await weave({ token_shifts: 1 });
  expect(await weave({ token_shifts: 4 })).toBeLessThan(0.5 * plainly);
  expect(await weave({ token_shifts: 1, notch: true })).toBeLessThan(0.5 * plainly);
});

test.each([[6, 8], [2, 6]])(
  "of %i x %i latents a moved grid has those within it, the rest are the first grid's",
  async (h, w) => {
    using model = await loadModel(gpu, STARTER);
    const channels = model.config.vae.z_channels;
    using z = normalNoise(gpu, [1, h, w, channels], { seed: 2 });
    const [data = new Float32Array()] = await read(z);
    /** Sum over the four places, a place at a time. */
    const sums = new Float32Array(data.length);
    let first = new Float32Array();
    for (const [top, left] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) {
      const [y0, x0] = [h > 2 ? top : 0, left];
      const [rows, columns] = [h - 2 * y0, w - 2 * x0];
      const at = (y: number, x: number, c: number) => ((y + y0) * w + x + x0) * channels + c;
      const each = (visit: (from: number, to: number) => void) => {
        for (let y = 0, i = 0; y < rows; y++) {
          for (let x = 0; x < columns; x++) for (let c = 0; c < channels; c++) visit(at(y, x, c), i++);
        }
      };
      const part = new Float32Array(rows * columns * channels);
      each((from, to) => part[to] = data[from]!);
      using moved = tensor(gpu, part, [1, rows, columns, channels]);
      using v = predictVelocity(model, moved);
      const [values = new Float32Array()] = await read(v);
      if (first.length === 0) first = values;
      const own = first.slice();
      each((to, from) => own[to] = values[from]!);
      for (const [i, x] of own.entries()) sums[i]! += x / 4;
    }
    using found = (await stepVelocities({ ...model, settings: { ...model.settings, token_shifts: 4 } }, [z]))[0]!;
    await expectClose(found, sums);
  },
);
