import { predictVelocity } from "@fluxsr/core";
import { type Gpu, scoped, type Tensor } from "@fluxsr/kernels";
import type { FlowConfig } from "../config/flow_config.ts";
import { requireCropSides } from "../data/crops.ts";
import { openPictures } from "../data/pictures.ts";
import { meanSquaredError } from "../losses/reconstruction.ts";
import type { BatchIndex, LossGroup, Stage, Validation } from "../stage.ts";
import { type HeldPicture, heldPictures } from "../validation/held_pictures.ts";
import { type FlowBatch, flowBatch, type FlowSource } from "./flow_data.ts";
import { type FlowModel, openFlowModel } from "./flow_model.ts";
import { writeFlowModel } from "./flow_result.ts";
import { validateFlow } from "./flow_validation.ts";

/**
 * A transformer and the pictures whose flow it learns, loaded and checked; `notice` is told what the user should know.
 *
 * @throws {InputError} if the model, a configuration, a weight file or a picture cannot be used
 */
export async function openFlowStage(
  gpu: Gpu,
  config: FlowConfig,
  { notice }: { notice: (text: string) => void },
): Promise<Stage<FlowBatch>> {
  const model = await openFlowModel(gpu, config);
  const { autoencoder } = model;
  const { crop: size, valid, validate_count: count, validate_size, t_density, t_mean, t_std } = config;
  requireCropSides({ crop: size, validate_size }, { multiple: 2 * autoencoder.factor }); // a token is 2x2 latents
  return new FlowStage({
    model,
    dtype: config.dtype === "f32" ? "F32" : "F16",
    held: valid && await heldPictures(valid, { count, size: validate_size, notice }),
    source: {
      gpu,
      autoencoder,
      pictures: await openPictures(config.pictures, { size, notice }),
      size,
      density: { t_density, t_mean, t_std },
      seed: config.seed,
      batchSize: config.batch_size,
      parts: config.accumulate,
    },
  });
}

/** Flow matching, Eq. 7-9: `mean((v_theta(x_t, t) - (eps - z_0))^2)`. */
function flowGroup(model: FlowModel): LossGroup<FlowBatch> {
  return {
    weights: { flow: 1 },
    loss: ({ x_t, u, t }) =>
      scoped(x_t.gpu, () => ({ flow: meanSquaredError(predictVelocity(model, x_t, { timesteps: t }), u) })),
  };
}

class FlowStage implements Stage<FlowBatch> {
  readonly gpu: Gpu;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly groups: Stage<FlowBatch>["groups"];
  readonly #model: FlowModel;
  readonly #dtype: "F16" | "F32";
  readonly #held: readonly HeldPicture[] | undefined;
  readonly #source: FlowSource;

  constructor({ model, dtype, held, source }: {
    model: FlowModel;
    dtype: "F16" | "F32";
    held: readonly HeldPicture[] | undefined;
    source: FlowSource;
  }) {
    this.gpu = model.gpu;
    this.weights = new Map([...model.mmdit.parameters()].map(([name, { tensor }]) => [name, tensor]));
    this.groups = [flowGroup(model)];
    this.#model = model;
    this.#dtype = dtype;
    this.#held = held;
    this.#source = source;
  }

  batch(index: BatchIndex): Promise<FlowBatch> {
    return flowBatch(this.#source, index);
  }

  async validate(): Promise<Validation | undefined> {
    return this.#held && await validateFlow(this.#model, this.#held);
  }

  writeResult(folder: string): Promise<string[]> {
    return writeFlowModel(folder, this.#model, { dtype: this.#dtype });
  }

  [Symbol.dispose](): void {
    this.#model.dispose();
  }
}
