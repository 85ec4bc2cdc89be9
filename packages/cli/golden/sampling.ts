import { InputError, sample, timeSchedule, timeShift } from "@fluxsr/core";
import { type Gpu, scopedAsync, tensor } from "@fluxsr/kernels";
import type { GoldenCase, Tensors, Values } from "./case.ts";
import { compare, compareAll, type Group } from "./compare.ts";
import type { Handler } from "./handler.ts";
import { conditioning, loadBase } from "./mmdit_network.ts";
import { Recorder } from "./recorder.ts";

/** `sampling`: time schedules, and Euler steps with the transformer of another case. */
export const sampling: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  const states = new Map([...io].filter(([name]) => name !== "noise" && !name.startsWith("schedule.")));
  const noise = io.get("noise");
  if (states.size > 0 && !noise) throw new InputError("Cannot sample: the case must give its noise");
  const groups = [schedules(golden, io)];
  if (noise) {
    groups.push(
      compareAll(
        "forward",
        { actual: await trajectory(golden, gpu, noise), expected: states },
        golden.tolerance("forward"),
      ),
    );
  }
  return { groups, skipped: [] };
};

/** `schedule.<tokens>.<steps>`, `schedule.noshift.<steps>`, and the shifts in the case's settings. */
function schedules(golden: GoldenCase, io: Tensors): Group {
  const { config } = golden;
  const tolerance = golden.tolerance("schedule");
  const shift = { base_shift: config.number("base_shift"), max_shift: config.number("max_shift") };
  const mu = config.has("mu") ? config.object("mu") : undefined;
  const shifts = mu?.keys.map((tokens) =>
    compare(`mu.${tokens}`, { actual: [timeShift(Number(tokens), shift)], expected: [mu.number(tokens)] }, tolerance)
  );
  const times = [...io].filter(([name]) => name.startsWith("schedule.")).map(([name, { values }]) => {
    const [, tokens, steps] = name.split(".");
    const actual = timeSchedule(Number(steps), tokens === "noshift" ? undefined : timeShift(Number(tokens), shift));
    return compare(name, { actual, expected: values }, tolerance);
  });
  return { name: "schedule", comparisons: [...shifts ?? [], ...times] };
}

/** `x.1`, `x.2`, ...: the tokens after each step along the times of the case's settings. */
async function trajectory(golden: GoldenCase, gpu: Gpu, noise: Values): Promise<Tensors> {
  const settings = golden.config.object("denoise");
  const { network, inputs } = await loadBase(gpu, golden);
  using _ = network;
  using recorder = new Recorder();
  const each = (value: number) => Array<number>(noise.shape[0] ?? 0).fill(value);
  const guidance = settings.has("guidance") ? { guidance: each(settings.number("guidance")) } : {};
  await scopedAsync(gpu, async () => {
    const fixed = { ...conditioning(network, inputs), ...guidance };
    await sample(
      tensor(gpu, noise.values, noise.shape),
      (img, t) => network.mmdit.forward({ ...fixed, img, timesteps: each(t) }),
      { times: settings.numbers("timesteps"), observe: (step, x) => recorder.observe(`x.${step}`, x) },
    );
  });
  return await recorder.read();
}
