/**
 * What FluxSR is: the networks, their weights, the flow, pictures and the one-step upscaler.
 *
 * ```ts
 * import { BUNDLED_MODEL, loadModel, readImage, upscale, writeImage } from "@fluxsr/core";
 * import { openGpu } from "@fluxsr/kernels";
 *
 * using gpu = await openGpu();
 * using model = await loadModel(gpu, BUNDLED_MODEL);
 * const { picture } = await upscale(model, await readImage("photo.jpg"), { scale: 4, colorFix: "wavelet" });
 * await writeImage("photo_x4.png", picture, { overwrite: false });
 * ```
 *
 * @module
 */
export { Autoencoder } from "./autoencoder/autoencoder.ts";
export { byteSize, parseByteSize } from "./memory/byte_size.ts";
export { type ColorFix } from "./color_fix.ts";
export { InputError, OverBudgetError } from "./errors.ts";
export { evaluate, type Evaluated, type EvaluateOptions, METHODS } from "./evaluation/evaluate.ts";
export { FIGURE_NAMES, type FigureName, FIGURES, type Figures, meanFigures } from "./evaluation/figures.ts";
export { findPairs, findResults, type PairsFolder, type PicturePair } from "./evaluation/pairs_folder.ts";
export type { PerceptualNetworks } from "./evaluation/perceptual_reference.ts";
export { hashBits } from "./hash_bits.ts";
export { FLUX_SHIFT, type Shift, timeSchedule, timeShift } from "./flow/schedule.ts";
export { integrate, type IntegrateOptions, sample, type VelocityField } from "./flow/sampler.ts";
export { interpolate, lowResolutionPoint, oneStep, velocity } from "./flow/trajectory.ts";
export { granularity } from "./granularity.ts";
export { type Picture } from "./image/picture.ts";
export { isPictureName, noPicture, pictureNames } from "./image/picture_names.ts";
export { pictureSize } from "./image/picture_size.ts";
export { readImage } from "./image/read_image.ts";
export { cut, type Rgb8, toRgb8, toTensor } from "./image/rgb8.ts";
export { osReason } from "./files/os_reason.ts";
export { holdFolder } from "./files/hold_folder.ts";
export { checkPlace, writeAtomically } from "./files/write_atomically.ts";
export { writeJson } from "./files/write_json.ts";
export { writeImage } from "./image/write_image.ts";
export { attachedLora, attachLora, mergeLora } from "./lora/apply.ts";
export { createLora, type CreateLoraOptions, loraTargets } from "./lora/create_lora.ts";
export type { LoraAdapter } from "./lora/adapter.ts";
export { type LoraFile, readLora } from "./lora/lora_file.ts";
export { mergedRows } from "./lora/merged_rows.ts";
export { writeLora } from "./lora/write_lora.ts";
export { gridRatio } from "./metrics/grid.ts";
export { niqe } from "./metrics/niqe.ts";
export { niqeFeatures } from "./metrics/niqe_features.ts";
export { psnr } from "./metrics/psnr.ts";
export { ssim } from "./metrics/ssim.ts";
export { timeEmbedding } from "./mmdit/embedder.ts";
export { Mmdit, type MmditInputs, type Observer as MmditObserver } from "./mmdit/mmdit.ts";
export { gridIds, type Positions, positions, ropeTables } from "./mmdit/positions.ts";
export { pack, unpack } from "./mmdit/tokens.ts";
export type { BlockStream, PlannedBlocks } from "./memory/block_stream.ts";
export { makeRoom } from "./memory/make_room.ts";
export { BUNDLED_MODEL, loadModel, type LoadOptions, type Model } from "./model.ts";
export { loadModule } from "./nn/load.ts";
export { permuted } from "./nn/permuted.ts";
export type { Precision } from "./nn/upload.ts";
export { Module, Parameter } from "./nn/module.ts";
export { moduleTensors } from "./nn/module_tensors.ts";
export { Dists } from "./perceptual/dists.ts";
export { loadDists } from "./perceptual/load_dists.ts";
export { loadLpips } from "./perceptual/load_lpips.ts";
export { Lpips } from "./perceptual/lpips.ts";
export { lpipsPath } from "./perceptual/lpips_weights.ts";
export { pseudoRandomVgg16 } from "./perceptual/pseudo_random_vgg16.ts";
export { tvLpips } from "./perceptual/tv_lpips.ts";
export { withMostBlocks } from "./memory/resident_blocks.ts";
export { ranOutNotice, smallerBudget, withinLess } from "./memory/smaller_budget.ts";
export { cutNotices } from "./text/cut_notices.ts";
export { type EncoderPlan, planTexts, type TextPlan } from "./text/plan_texts.ts";
export {
  hasTextFolder,
  openTextFolder,
  type TextFiles,
  type TextFolder,
  type TokenizedText,
} from "./text/text_folder.ts";
export { type EmbeddingOptions, writeEmbeddings } from "./text/write_embeddings.ts";
export { defaultOverlap, defaultTile } from "./tile_size.ts";
export { stepVelocities } from "./step_velocities.ts";
export { upscale, type UpscaleOptions, type UpscaleResult } from "./upscale.ts";
export type { UpscalePlan } from "./dry_upscale.ts";
export { openLora, type PlanOptions, planUpscale } from "./plan.ts";
export { predictVelocities, predictVelocity, type VelocityOptions } from "./velocity.ts";
export { readJson } from "./files/read.ts";
export { ADAPTER_FILES, type AdapterFolder, openAdapter } from "./lora/adapter_folder.ts";
export { autoencoderNames } from "./model_folder/autoencoder_names.ts";
export { autoencoderJson, parseAutoencoderConfig } from "./model_folder/autoencoder_config.ts";
export { readConditioning } from "./model_folder/conditioning.ts";
export { parseMmditConfig } from "./model_folder/mmdit_config.ts";
export { FLUX_AUTOENCODER, FLUX_DEV } from "./model_folder/configs.ts";
export { fromF32, isWeightDtype, toF32, type WeightDtype } from "./weights/dtypes/dtype.ts";
export { mmditNames } from "./model_folder/mmdit_names.ts";
export { isGgmlDtype } from "./weights/dtypes/dequantize.ts";
export { isQuantised, type QuantisedDtype } from "./weights/dtypes/quantize.ts";
export { isInBlocks, quantisedRows } from "./weights/quantised_rows.ts";
export { type RowTensor, sourceRows } from "./weights/row_tensor.ts";
export type { AutoencoderConfig, MmditConfig } from "./model_folder/configs.ts";
export { type NetworkName, networksIn } from "./model_folder/networks_in.ts";
export { type Networks, openNetworks } from "./model_folder/open_networks.ts";
export { checkFit, type ModelFolder, openAutoencoderFolder, openModelFolder } from "./model_folder/model_folder.ts";
export { type ModelSettings, readModelSettings } from "./model_folder/model_settings.ts";
export { openWeights } from "./weights/open_weights.ts";
export { plainTensor } from "./weights/plain_tensor.ts";
export { openSafetensors, type TensorData, writeSafetensors } from "./weights/safetensors/safetensors.ts";
export { type VerifiedModel, verifyModel } from "./model_folder/verify_model.ts";
export { type WeightSource, weightSource } from "./weights/weight_source.ts";
export { writeNetwork } from "./model_folder/write_network.ts";
export {
  type Layout,
  modelBytes,
  type ModelRows,
  writeModel,
  type WriteModelOptions,
} from "./model_folder/write_model.ts";
