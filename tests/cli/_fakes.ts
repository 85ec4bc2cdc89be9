/** A process, a GPU and a pipeline that only pretend, for the tests of the command line. */
import {
  InputError,
  type Model,
  OverBudgetError,
  type Picture,
  type PlanOptions,
  type UpscaleOptions,
  type UpscalePlan,
} from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import type { Host } from "../../packages/cli/_host.ts";
import type { UpscaleDeps } from "../../packages/cli/_upscale_request.ts";

/** What a command printed and how it ended. */
export interface Recorded extends Host {
  stdout: string;
  stderr: string;
  code: number | undefined;
  /** Milliseconds; tests turn it. */
  clock: number;
}

/** @param columns of the terminal; left out, there is none */
export function fakeHost({ columns }: { columns?: number } = {}): Recorded {
  const host: Recorded = {
    stdout: "",
    stderr: "",
    code: undefined,
    clock: 0,
    out: (text) => void (host.stdout += text),
    err: (text) => void (host.stderr += text),
    columns: () => columns,
    exitCode: (code) => void (host.code = code),
    now: () => host.clock,
  };
  return host;
}

/** A picture of one colour. */
export function plainPicture(width: number, height: number, { value = 7, notes = [] as string[] } = {}): Picture {
  return { width, height, depth: 8, rgb: new Uint8Array(width * height * 3).fill(value), grey: false, notes };
}

/** How often what was done. */
export interface Calls {
  opened: number;
  destroyed: number;
  loaded: { directory: string; options: unknown }[];
  disposed: number;
  upscaled: UpscaleOptions[];
  planned: PlanOptions[];
}

/**
 * Deps that make every file a picture of 4 x 3 pixels in two tiles of a second each. A file that contains "bad" is no
 * image, one that contains "note" has a note; a header says 400 x 300 of one that contains "large".
 */
export function fakeDeps(host: Recorded, replaced: Partial<UpscaleDeps> = {}): UpscaleDeps & { calls: Calls } {
  const calls: Calls = { opened: 0, destroyed: 0, loaded: [], disposed: 0, upscaled: [], planned: [] };
  const gpu = {
    adapter: { description: "Pretender 9", vendor: "none", software: true, features: [] },
    memory: { live: 10, reserved: 20, peak: 30 },
    buffers: { budget: Infinity },
    trim: () => {},
    sync: () => Promise.resolve(),
    destroy: () => calls.destroyed++,
    [Symbol.dispose]: () => calls.destroyed++,
  } as unknown as Gpu;
  return {
    calls,
    host,
    openGpu: () => {
      calls.opened++;
      return Promise.resolve(gpu);
    },
    loadModel: (_gpu, directory, options) => {
      calls.loaded.push({ directory, options });
      return Promise.resolve(
        { name: "fake", path: directory, gpu, notes: [], dispose: () => calls.disposed++ } as unknown as Model,
      );
    },
    pictureSize: async (path) => {
      const text = await Deno.readTextFile(path);
      if (text.includes("bad")) throw new InputError(`Cannot read "${path}": it is bad`);
      return text.includes("large") ? { width: 400, height: 300 } : { width: 4, height: 3 };
    },
    readImage: async (path) => {
      const text = await Deno.readTextFile(path);
      if (text.includes("bad")) throw new InputError(`Cannot read "${path}": it is bad`, { hint: "make it good" });
      host.clock += 10;
      return plainPicture(4, 3, { notes: text.includes("note") ? ["animated: used frame 1 of 2"] : [] });
    },
    writeImage: async (path, picture) => {
      await Deno.writeTextFile(path, `${picture.width} x ${picture.height}`);
      host.clock += 100;
      return { bytes: picture.rgb.length, notes: [] };
    },
    upscale: (_model, { width, height, notes }, options) => {
      calls.upscaled.push(options);
      for (let done = 0; done <= 2; done++) {
        options.onProgress?.(done, 2);
        if (done < 2) host.clock += 1000;
      }
      const size = [width * options.scale, height * options.scale] as const;
      return Promise.resolve({
        picture: plainPicture(...size, { value: 9, notes: [...notes] }),
        ...(options.compare ? { enlarged: plainPicture(...size, { value: 1 }) } : {}),
        tiles: 2,
        tile: { width: 16, height: 16 },
        asOne: true,
        stageBytes: {},
        stages: options.timed ? { transformer: 1500 } : {},
      });
    },
    planUpscale: (_gpu, options) => {
      calls.planned.push(options);
      return Promise.resolve(fakePlan(options));
    },
    ...replaced,
  };
}

/** A plan of a model of ten blocks of a GB each, with 3 GB for the work on a tile; below 2 GB there is none. */
export function fakePlan(
  { model, sizes: [size] = [], tile = 512, tileOverlap, budget = Infinity }: PlanOptions,
): UpscalePlan {
  if (budget < 2e9) {
    throw new OverBudgetError(`Cannot upscale within ${budget} bytes`, { neededBytes: 2e9, instead: "wait" });
  }
  const resident = Math.max(0, Math.min(10, Math.floor((budget - 3e9) / 1e9)));
  const tileSide = budget < 3e9 ? tile / 2 : tile;
  return {
    model: { name: "fake", path: model },
    parameters: { transformer: 5e9, autoencoder: 84e6 },
    loaded: { transformer: resident * 1e9, autoencoder: 335e6, text: 20e3 },
    blocks: { all: 10, resident, streamedBytes: (10 - resident) * 1e9 },
    picture: size ?? { width: 128, height: 128 },
    tile: { width: tileSide, height: tileSide },
    tiles: size ? 12 : 1,
    tileSide,
    wantedTile: tile,
    tileOverlap,
    stages: { encode: 1.5e9, decode: 2.5e9 },
    usedBytes: resident * 1e9 + 2.835e9,
    peakBytes: resident * 1e9 + 3e9,
    flops: 80e12,
  };
}

const folders: string[] = [];

/** Removes what {@linkcode folderWith} made. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) Deno.removeSync(folder, { recursive: true });
}

/** A folder with files of the given contents, until {@linkcode removeFolders}. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = Deno.makeTempDirSync({ prefix: "fluxsr-test-" });
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }
  return folder;
}

/** The sorted names in `folder`. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
