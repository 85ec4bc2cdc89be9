import { type Gpu, kernel } from "@fluxsr/kernels";
import source from "./mark.wgsl" with { type: "text" };

const MARK = "mark ";

/**
 * GPU milliseconds of the stages of `work`, in the order in which it begins them: the sum of all dispatches from
 * `begin(stage)` to the next, over all turns of the stage.
 */
export async function stageTimes(
  gpu: Gpu,
  work: (begin: (stage: string) => void) => void | Promise<void>,
): Promise<Map<string, number>> {
  const begin = (stage: string) => {
    const mark = kernel({ name: `${MARK}${stage}`, sources: [source], entry: "mark", binds: {} });
    gpu.run(mark, { buffers: [], params: {}, groups: [1, 1, 1] });
  };
  const { times } = await gpu.profile(() => work(begin));
  const stages = new Map<string, number>();
  let stage = "";
  for (const { kernel: name, milliseconds } of times) {
    if (name.startsWith(MARK)) stage = name.slice(MARK.length);
    stages.set(stage, (stages.get(stage) ?? 0) + (name.startsWith(MARK) ? 0 : milliseconds));
  }
  return stages;
}
