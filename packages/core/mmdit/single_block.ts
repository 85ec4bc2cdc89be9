import { concat, gelu, layerNorm, scoped, split, type Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import type { MmditConfig } from "../model_folder/configs.ts";
import { Modulation, type ModulationOut } from "./modulation.ts";
import type { Positions } from "./positions.ts";
import { attend, QKNorm, splitHeads } from "./self_attention.ts";

/** Attention and feed-forward side by side on all tokens (flux/modules/layers.py, SingleStreamBlock). */
export class SingleStreamBlock extends Module {
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm: QKNorm;
  readonly modulation: Modulation;
  readonly #config: MmditConfig;

  constructor(config: MmditConfig) {
    super();
    const { hidden_size, mlp_ratio, num_heads } = config;
    const hidden = Math.trunc(hidden_size * mlp_ratio);
    this.linear1 = new Linear(hidden_size, 3 * hidden_size + hidden);
    this.linear2 = new Linear(hidden_size + hidden, hidden_size);
    this.norm = new QKNorm(hidden_size / num_heads);
    this.modulation = new Modulation(hidden_size, { double: false });
    this.#config = config;
  }

  /** `x [B, T + N, D]`, text then picture; `vec [B, D]`, already through SiLU. */
  forward(x: Tensor, { vec, pe }: { vec: Tensor; pe: Positions }): Tensor {
    const { hidden_size, mlp_ratio, num_heads } = this.#config;
    return scoped(x.gpu, () => {
      const [mod] = this.modulation.forward(vec) as [ModulationOut];
      const h = this.linear1.forward(layerNorm(x, mod));
      const [qkv, mlp] = split(h, 2, [3 * hidden_size, Math.trunc(hidden_size * mlp_ratio)]) as [Tensor, Tensor];
      const attended = attend(splitHeads(qkv, { heads: num_heads, norm: this.norm, pe: { ...pe, first: 0 } }));
      return this.linear2.addTo(x, concat([attended, gelu(mlp)], 2), mod);
    });
  }
}
