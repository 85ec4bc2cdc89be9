import type * as core from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import type { Host } from "./_host.ts";

/** What the user asked for. */
export interface UpscaleRequest {
  readonly inputs: readonly string[];
  readonly output?: string;
  readonly model: string;
  readonly lora?: string;
  readonly scale: number;
  readonly tile?: number;
  readonly tileOverlap?: number;
  readonly colorFix: core.ColorFix;
  readonly precision: "auto" | "native" | "f32";
  readonly seed?: number;
  readonly strength: number;
  readonly overwrite?: boolean;
  readonly compare?: boolean;
  readonly json?: boolean;
  /** The most bytes that the GPU may hold. */
  readonly maxVram?: number;
  /** Plan only. */
  readonly dryRun?: boolean;
  readonly debug?: boolean;
}

/** What does the work; tests give their own. */
export interface UpscaleDeps {
  readonly host: Host;
  readonly openGpu: () => Promise<Gpu>;
  readonly loadModel: typeof core.loadModel;
  readonly pictureSize: typeof core.pictureSize;
  readonly readImage: typeof core.readImage;
  readonly writeImage: typeof core.writeImage;
  readonly upscale: typeof core.upscale;
  readonly planUpscale: typeof core.planUpscale;
}
