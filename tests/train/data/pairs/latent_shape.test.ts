import type { Model } from "@fluxsr/core";
import { expect, test } from "vitest";
import { checkLatents, latentShape } from "../../../../packages/train/data/pairs/latent_shape.ts";
import type { Pairs } from "../../../../packages/train/data/pairs/pairs.ts";

const model = { autoencoder: { factor: 8 }, config: { vae: { z_channels: 16 } } } as Model;

test("a latent is as much smaller as the autoencoder makes it", () => {
  expect(latentShape(model, 192)).toEqual([24, 24, 16]);
});

test("pairs of another autoencoder are refused, with both shapes", () => {
  const pairs = (latent: readonly number[]) => ({ dir: "pairs", size: 192, settings: { latent } }) as unknown as Pairs;
  expect(() => checkLatents(pairs([24, 24, 16]), model)).not.toThrow();
  expect(() => checkLatents(pairs([48, 48, 16]), model)).toThrow(
    'Cannot train on pairs "pairs": latents of 192 x 192 pixels must have the model\'s shape, [24, 24, 16]: ' +
      "theirs is [48, 48, 16]",
  );
});
