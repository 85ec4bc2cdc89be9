import { DeviceLostError, type Gpu } from "@fluxsr/kernels";

/** After memory ran out: takes note of what else failed for the same reason, and gives back what is free. */
export async function recover(gpu: Gpu): Promise<void> {
  await gpu.sync().catch((late) => {
    if (late instanceof DeviceLostError) throw late;
  });
  gpu.trim();
}
