import {
  checkPlace,
  evaluate,
  type Evaluated,
  findPairs,
  findResults,
  InputError,
  loadDists,
  loadLpips,
  loadModel,
  METHODS,
  osReason,
  type PairsFolder,
  writeAtomically,
  writeImage,
} from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { join } from "node:path";
import { UsageError } from "../_errors.ts";
import type { Host } from "../_host.ts";
import { type Evaluation, meansOf, toJson, TRUTH } from "./_evaluation.ts";
import { markdown, TextTable } from "./_tables.ts";

/** What the user asked for. */
export interface EvalRequest {
  readonly pairs: string;
  readonly model: string;
  readonly lora?: string;
  /** Folders by name. */
  readonly also: ReadonlyMap<string, string>;
  readonly tile?: number;
  readonly seed?: number;
  readonly strength: number;
  readonly cropBorder?: number;
  readonly lpipsWeights?: readonly string[];
  readonly json?: string;
  readonly markdown?: string;
  readonly keep?: string;
  readonly overwrite?: boolean;
}

/**
 * Judges the model and its rivals on all pairs, prints the figures of each picture when they are there and their means at
 * the end, and writes the files that were asked for. Everything that can be known to fail does so before the work.
 *
 * @throws {InputError} if pairs, results, model or weights cannot be used, or a file cannot be written
 * @throws {UsageError} if a name of `also` is that of a method
 */
export async function runEval(
  request: EvalRequest,
  { host, openGpu }: { host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  const { overwrite = false, keep } = request;
  const folder = await findPairs(request.pairs);
  const also = await findAlso(request, folder);
  const methods = [...METHODS, ...also.keys(), TRUTH];
  for (const file of [request.json, request.markdown]) if (file !== undefined) await checkPlace(file, { overwrite });
  if (keep !== undefined) await makePlaces(keep, { methods: methods.slice(0, -1), folder, overwrite });

  using work = new DisposableStack();
  const gpu = work.use(await openGpu());
  const { lora, lpipsWeights: files = [], tile, seed, strength, cropBorder = folder.scale } = request;
  const model = work.use(await loadModel(gpu, request.model, { lora, fold: true }));
  const lpips = work.adopt(await loadLpips(gpu, { files }), (network) => network.dispose());
  const dists = work.adopt(await loadDists(gpu, { files }), (network) => network.dispose());
  for (const note of model.notes) host.err(`Note: ${note}\n`);
  host.err(`LPIPS and DISTS with ${lpips.source}${files.length > 0 ? "" : ": no --lpips-weights are given"}\n`);

  const table = new TextTable({ pictures: ["mean", ...folder.pairs.map(({ name }) => name)], methods });
  host.out(table.head());
  const pictures: Evaluation["pictures"][number][] = [];
  const networks = { gpu, lpips, dists };
  for await (const evaluated of evaluate(model, folder, { networks, cropBorder, also, tile, seed, strength })) {
    const { name, truth } = evaluated;
    const figures = new Map([...evaluated.figures, [TRUTH, truth]]);
    pictures.push({ name, figures });
    host.out(table.lines(name, figures));
    if (keep !== undefined) await keepPictures(keep, evaluated, { overwrite });
  }
  const { description, vendor, software } = gpu.adapter;
  const evaluation: Evaluation = {
    adapter: { description, vendor, software },
    model: { name: model.name, path: model.path, lora: lora ?? null, strength },
    pairs: request.pairs,
    scale: folder.scale,
    crop_border: cropBorder,
    network: lpips.source,
    means: meansOf(pictures),
    pictures,
  };
  host.out(table.lines("mean", evaluation.means));
  if (request.json !== undefined) await write(request.json, toJson(evaluation), { overwrite });
  if (request.markdown !== undefined) await write(request.markdown, markdown(evaluation), { overwrite });
}

/** The files of every `--also`. */
async function findAlso({ also }: EvalRequest, folder: PairsFolder): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const [name, path] of also) {
    if ([...METHODS, TRUTH].includes(name)) {
      throw new UsageError(`Cannot use --also "${name}=${path}": the name must be another: "${name}" is always there`);
    }
    found.set(name, await findResults(path, folder));
  }
  return found;
}

/** Where the picture of a pair that a method made is kept. */
function keptPath(keep: string, method: string, pair: string): string {
  return join(keep, method, `${pair}.png`);
}

/** Makes a folder in `keep` for each of the methods, and checks that their pictures can go there. */
async function makePlaces(
  keep: string,
  { methods, folder, overwrite }: { methods: readonly string[]; folder: PairsFolder; overwrite: boolean },
): Promise<void> {
  try {
    for (const method of methods) await Deno.mkdir(join(keep, method), { recursive: true });
  } catch (cause) {
    throw new InputError(`Cannot write "${keep}": the folder must be writable: ${osReason(cause)}`, { cause });
  }
  for (const method of methods) {
    for (const { name } of folder.pairs) await checkPlace(keptPath(keep, method, name), { overwrite });
  }
}

async function keepPictures(
  keep: string,
  { name, pictures }: Evaluated,
  options: { overwrite: boolean },
): Promise<void> {
  for (const [method, picture] of pictures) {
    await writeImage(keptPath(keep, method, name), { ...picture, depth: 8, grey: false, notes: [] }, options);
  }
}

async function write(path: string, text: string, options: { overwrite: boolean }): Promise<void> {
  await writeAtomically(path, new TextEncoder().encode(text), options);
}
