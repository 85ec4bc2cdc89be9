import { loadModel } from "@fluxsr/core";
import { beforeAll, expect, test } from "vitest";
import { readDegradation } from "../../../packages/train/data/degradation/parameters.ts";
import { FtdValidation } from "../../../packages/train/ftd/ftd_validation.ts";
import { heldPictures } from "../../../packages/train/validation/held_pictures.ts";
import { tinyModel } from "../../e2e/_tiny_model.ts";
import { gpu } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { pictureFolder } from "../_pretraining.ts";

const folder = temporaryFolder();

beforeAll(() => tinyModel(folder));

/** What a validation finds with so many blocks on the GPU. */
async function judged(residentBlocks: number | undefined) {
  const live = gpu.memory.live;
  const pictures = await heldPictures([await pictureFolder({ count: 1 })], { count: 1, size: 96, notice: () => {} });
  const options = { degradation: await readDegradation(), scale: 4, seed: 1 };
  let result;
  {
    using model = await loadModel(gpu, folder, { lora: false, residentBlocks });
    using validation = await FtdValidation.open(model, pictures, options);
    result = { ...await validation.validate(), baselines: validation.baselines };
  }
  expect(gpu.memory.live).toBe(live);
  return result;
}

test("the validation finds the same with blocks that are loaded in their turn", async () => {
  const whole = await judged(undefined);
  expect(whole.figures.psnr_y).toBeGreaterThan(0);
  expect(await judged(0)).toEqual(whole);
});
