import { type Model, OverBudgetError, type Picture, type UpscaleOptions, type UpscaleResult } from "@fluxsr/core";
import { DeviceLostError, type Gpu, OutOfMemoryError, type Size } from "@fluxsr/kernels";
import { explain, report, UsageError } from "./_errors.ts";
import { uninterrupted } from "./_host.ts";
import { findInputs, type Input, nothingFound } from "./_inputs.ts";
import { type Loaded, loadForUpscale, loadWithLess } from "./_load_for_upscale.ts";
import { type Job, planOutputs } from "./_outputs.ts";
import { Progress } from "./_progress.ts";
import { type Done, type Failed, finishedLine, jsonReport, type Result } from "./_results.ts";
import { runPlan } from "./_run_plan.ts";
import { sideBySide } from "./_side_by_side.ts";
import { sizesOf } from "./_sizes.ts";
import type { UpscaleDeps, UpscaleRequest } from "./_upscale_request.ts";

/**
 * Upscales all inputs one after another and prints what came of it. The GPU is opened, and the model loaded, for the
 * first picture that can be read.
 *
 * @returns The exit code: 0 all done, 1 some inputs failed, 2 no input is a picture
 * @throws {UsageError} if the options do not fit together
 */
export async function runUpscale(request: UpscaleRequest, deps: UpscaleDeps): Promise<number> {
  checkOverlap(request);
  if (request.dryRun) return await runPlan(request, deps);
  const { host } = deps;
  const { output, scale, compare = false, overwrite = false } = request;
  const start = host.now();
  const { inputs, isList } = await findInputs(request.inputs);
  const jobs = await planOutputs(inputs, { output, scale, compare, overwrite, isList });
  using run = new Run(request, deps, inputs);
  const results: Result[] = [];
  for (const [index, job] of jobs.entries()) results.push(await run.result(job, index + 1));
  const failures = results.filter((result) => "error" in result).length;
  if (results.length > 1) host.err(`${results.length - failures} of ${results.length} done, ${failures} failed\n`);
  if (request.json) {
    host.out(jsonReport({ scale, results, gpu: run.gpu, model: run.model, milliseconds: host.now() - start }));
  }
  if (nothingFound(inputs)) return 2;
  return failures > 0 ? 1 : 0;
}

function checkOverlap({ tile, tileOverlap }: UpscaleRequest): void {
  if (tile === undefined || tileOverlap === undefined || tileOverlap < tile / 2) return;
  throw new UsageError(`Cannot use --tile-overlap ${tileOverlap}: it must be below half of --tile: that is ${tile}`);
}

/** The work on all pictures, with what they share. */
class Run implements Disposable {
  gpu: Gpu | undefined;
  model: Model | undefined;
  /** Chosen with the model. */
  #chosen: Pick<Loaded, "tile" | "tileOverlap"> = { tile: undefined, tileOverlap: undefined };
  /** The picture that it was loaded for, if there is no room for all within `--max-vram`. */
  #loadedFor: Picture | undefined;
  #isOneByOne = false;
  /** Of all pictures as far as they are known; undefined: not asked for yet. */
  #sizes: readonly Size[] | undefined;
  readonly #request: UpscaleRequest;
  readonly #deps: UpscaleDeps;
  readonly #inputs: readonly Input[];
  readonly #progress: Progress;
  /** What makes all further work impossible: no adapter, a bad model, a lost device. */
  #end: { readonly error: unknown } | undefined;

  constructor(request: UpscaleRequest, deps: UpscaleDeps, inputs: readonly Input[]) {
    this.#request = request;
    this.#deps = deps;
    this.#inputs = inputs;
    this.#progress = new Progress(deps.host, { files: inputs.length });
  }

  /** Makes one picture; what goes wrong is told and becomes the result. */
  async result(job: Job, number: number): Promise<Result> {
    const { host } = this.#deps;
    const isOver = this.#end !== undefined;
    try {
      if (job.error) throw job.error;
      if (this.#end) throw this.#end.error;
      this.#progress.file(number, job.input);
      const done = await this.#make(job);
      this.#progress.clear();
      host.err(finishedLine(done));
      return done;
    } catch (error) {
      this.#progress.clear();
      if (error instanceof DeviceLostError) this.#end ??= { error };
      if (isOver && !job.error) host.err(`Not upscaled, for the same reason: ${job.input}\n`);
      else report(error, { host, debug: this.#request.debug ?? false, subject: job.input });
      this.#freeMemory();
      return failed(job, error);
    }
  }

  [Symbol.dispose](): void {
    this.model?.dispose();
    this.gpu?.destroy();
  }

  async #make({ input, output, comparison }: Job): Promise<Done> {
    const { host, readImage } = this.#deps;
    const { scale, colorFix, seed, strength, compare = false, json = false } = this.#request;
    const start = host.now();
    const source = await readImage(input);
    const readMs = host.now() - start;
    await this.#ready(source);
    const startOfWork = host.now();
    const { picture, enlarged, tiles, tile: tileSize, stages } = await this.#upscale(source, {
      scale,
      colorFix,
      seed,
      strength,
      compare,
      timed: json,
      onProgress: (done, total) => this.#progress.tiles(done, total),
      onNotice: (line) => this.#say(`${line}: ${input}`),
    });
    this.#progress.step("writing");
    const endOfWork = host.now();
    const written = await this.#write(output, picture);
    const both = comparison && enlarged && sideBySide(enlarged, picture);
    const compared = both && { ...(await this.#write(comparison, both)), output: comparison };
    const writeMs = host.now() - endOfWork;
    return {
      input,
      output,
      width: picture.width,
      height: picture.height,
      tile: tileSize,
      tiles,
      stages: json ? { "read file": readMs, ...stages, "write file": writeMs } : stages,
      milliseconds: readMs + host.now() - startOfWork,
      peakGpuBytes: this.gpu?.memory.peak ?? 0,
      bytes: written.bytes,
      notes: [...source.notes, ...written.notes],
      ...(both && compared &&
        { compare: { output: compared.output, width: both.width, height: both.height, bytes: compared.bytes } }),
    };
  }

  /** Where there is no room even for the smallest tiles, less of the model stays on the GPU. */
  async #upscale(source: Picture, options: UpscaleOptions): Promise<UpscaleResult> {
    for (;;) {
      const model = await this.#ready(source);
      try {
        return await this.#deps.upscale(model, source, { ...options, ...this.#chosen });
      } catch (error) {
        const isLimited = this.#request.maxVram !== undefined;
        const isOther = this.#isOneByOne && source !== this.#loadedFor;
        if (!(error instanceof OutOfMemoryError) || isLimited && !isOther) throw error;
        model.dispose();
        this.model = undefined;
        if (!isLimited) this.#loaded(await loadWithLess(model.gpu, this.#request, this.#loading(source)), source);
      }
    }
  }

  async #write(path: string, picture: Picture): Promise<{ bytes: number; notes: readonly string[] }> {
    const overwrite = this.#request.overwrite ?? false;
    return await uninterrupted(() => this.#deps.writeImage(path, picture, { overwrite }));
  }

  /** The model, loaded for the first picture. */
  async #ready(source: Picture): Promise<Model> {
    if (this.model) return this.model;
    this.#progress.step("loading the model");
    try {
      this.gpu ??= await this.#deps.openGpu();
      return this.#loaded(await loadForUpscale(this.gpu, this.#request, this.#loading(source)), source);
    } catch (error) {
      if (error instanceof OverBudgetError) this.#isOneByOne = true; // the next picture may be smaller
      else this.#end = { error };
      throw error;
    }
  }

  #loaded({ model, tile, tileOverlap, isForAll }: Loaded, source: Picture): Model {
    this.#chosen = { tile, tileOverlap };
    this.#loadedFor = source;
    this.#isOneByOne ||= !isForAll;
    return this.model = model;
  }

  #loading(next: Picture) {
    const say = (line: string) => this.#say(line);
    return { deps: this.#deps, progress: this.#progress, say, sizes: () => this.#sizesFor(next) };
  }

  /** What is planned for: all pictures, or the next alone; that one is known. */
  async #sizesFor({ width, height }: Picture): Promise<{ all: readonly Size[]; next: Size }> {
    const next = { width, height };
    this.#sizes ??= await sizesOf(this.#inputs, { sizeOf: this.#deps.pictureSize });
    return { all: this.#isOneByOne || this.#sizes.length === 0 ? [next] : this.#sizes, next };
  }

  /** Prints a line in place of the progress. */
  #say(line: string): void {
    this.#progress.clear();
    this.#deps.host.err(`${line}\n`);
  }

  /** What a failed picture leaves behind must not be missing for the next. */
  #freeMemory(): void {
    try {
      this.gpu?.trim();
    } catch (error) {
      if (error instanceof DeviceLostError) this.#end ??= { error };
    }
  }
}

function failed({ input }: Job, error: unknown): Failed {
  const { message, hint } = explain(error);
  return { input, error: message, ...(hint === undefined ? {} : { hint }) };
}
