/**
 * Enlarges the pictures of a folder four times by UpscalerJS's ESRGAN models, for `deno task eval --also`:
 *
 *     npm install --prefix out/upscalers @tensorflow/tfjs@4.11.0 @tensorflow/tfjs-backend-wasm@4.11.0 \
 *       @upscalerjs/esrgan-slim@1.0.0 @upscalerjs/esrgan-medium@1.0.0 @upscalerjs/esrgan-thick@1.0.0
 *     deno run -A bench/upscalers/esrgan.ts slim pairs/LR out/esrgan-slim
 *
 * The packages take 440 MB, so that they are not among the project's dependencies. Every picture goes through the network
 * whole, as in UpscalerJS without `patchSize`; its definition of the model says how.
 */
import { createRequire } from "node:module";
import { dirname, join, parse, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isPictureName, readImage, toRgb8, writeImage } from "@fluxsr/core";

const PACKAGES = fileURLToPath(new URL("../../out/upscalers/", import.meta.url));

/** What is used of TensorFlow.js. */
interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface LayersModel {
  predict(x: Tensor): Tensor;
}
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  loadLayersModel(files: unknown): Promise<LayersModel>;
}

/** How UpscalerJS describes a model. */
interface Definition {
  readonly scale: number;
  readonly inputRange: readonly [number, number];
  readonly outputRange: readonly [number, number];
  /** Registers layers of the model's own. */
  setup?(tf: TensorFlow): void;
  readonly _internals: { readonly path: string };
}

async function main([size = "", from = "", to = ""]: readonly string[]): Promise<void> {
  if (!["slim", "medium", "thick"].includes(size) || from === "" || to === "") {
    throw new Error("usage: esrgan.ts slim|medium|thick <folder of pictures> <folder of results>");
  }
  const require = createRequire(join(PACKAGES, "esrgan.js"));
  const tf: TensorFlow = require("@tensorflow/tfjs");
  require("@tensorflow/tfjs-backend-wasm")
    .setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  await tf.setBackend("wasm");
  await tf.ready();
  const name = `@upscalerjs/esrgan-${size}/4x`;
  const definition: Definition = require(name);
  definition.setup?.(tf);
  // .../dist/cjs/models/esrgan-slim/src/x4/cjs.js of the package
  const root = resolve(require.resolve(name), "../../../../../../..");
  const model = await tf.loadLayersModel(filesBeside(join(root, definition._internals.path)));
  await Deno.mkdir(to, { recursive: true });
  for (const file of [...Deno.readDirSync(from)].map(({ name }) => name).filter(isPictureName).sort()) {
    const start = performance.now();
    await enlarge(join(from, file), { to: join(to, `${parse(file).name}.png`), tf, model, definition });
    console.log(`${file}  ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}

/** The model.json at `path` and its shards, as TensorFlow.js wants to be given files: it would ask a server for them. */
function filesBeside(path: string): unknown {
  const { modelTopology, weightsManifest } = JSON.parse(Deno.readTextFileSync(path));
  const groups: { paths: string[]; weights: unknown[] }[] = weightsManifest;
  const bytes = groups.flatMap(({ paths }) => paths.map((name) => Deno.readFileSync(join(dirname(path), name))));
  const weightData = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of bytes) {
    weightData.set(each, at);
    at += each.length;
  }
  const weightSpecs = groups.flatMap(({ weights }) => weights);
  return { load: () => Promise.resolve({ modelTopology, weightSpecs, weightData: weightData.buffer }) };
}

async function enlarge(
  path: string,
  { to, tf, model, definition }: { to: string; tf: TensorFlow; model: LayersModel; definition: Definition },
): Promise<void> {
  const { rgb, width, height } = toRgb8(await readImage(path));
  const { scale, inputRange: [, white], outputRange: [, whiteOut] } = definition;
  const x = tf.tensor(Float32Array.from(rgb, (value) => value / 255 * white), [1, height, width, 3]);
  const y = model.predict(x);
  const values = await y.data();
  for (const each of [x, y]) each.dispose();
  const large = {
    width: width * scale,
    height: height * scale,
    rgb: new Uint8Array(Uint8ClampedArray.from(values, (value) => value / whiteOut * 255)),
  };
  await writeImage(to, { ...large, depth: 8, grey: false, notes: [] }, { overwrite: true });
}

await main(Deno.args).catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
});
