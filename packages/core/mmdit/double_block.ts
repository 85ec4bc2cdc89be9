import { concat, layerNorm, scoped, split, type Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import type { MmditConfig } from "../model_folder/configs.ts";
import { Modulation, type ModulationOut } from "./modulation.ts";
import type { Positions } from "./positions.ts";
import { attend, SelfAttention } from "./self_attention.ts";

/** The two streams of tokens, each [B, L, D]. */
export interface Streams {
  readonly img: Tensor;
  readonly txt: Tensor;
}

/** A feed-forward network with tanh-GELU; keys are `0` and `2` as in the checkpoint's `Sequential`. */
class Mlp extends Module {
  readonly 0: Linear;
  readonly 2: Linear;

  constructor(width: number, hidden: number) {
    super();
    this[0] = new Linear(width, hidden);
    this[2] = new Linear(hidden, width);
  }

  /** `to + gate mlp(x)` */
  addTo(to: Tensor, x: Tensor, mod: { gate: Tensor }): Tensor {
    return this[2].addTo(to, this[0].forward(x, { activation: "gelu" }), mod);
  }
}

/** Picture and text tokens keep their own weights and attend jointly (flux/modules/layers.py, DoubleStreamBlock). */
export class DoubleStreamBlock extends Module {
  readonly img_mod: Modulation;
  readonly img_attn: SelfAttention;
  readonly img_mlp: Mlp;
  readonly txt_mod: Modulation;
  readonly txt_attn: SelfAttention;
  readonly txt_mlp: Mlp;

  constructor({ hidden_size, mlp_ratio, num_heads, qkv_bias }: MmditConfig) {
    super();
    const attention = { heads: num_heads, bias: qkv_bias };
    this.img_mod = new Modulation(hidden_size, { double: true });
    this.img_attn = new SelfAttention(hidden_size, attention);
    this.img_mlp = new Mlp(hidden_size, Math.trunc(hidden_size * mlp_ratio));
    this.txt_mod = new Modulation(hidden_size, { double: true });
    this.txt_attn = new SelfAttention(hidden_size, attention);
    this.txt_mlp = new Mlp(hidden_size, Math.trunc(hidden_size * mlp_ratio));
  }

  /** @param vec [B, D], already through SiLU */
  forward({ img, txt }: Streams, { vec, pe }: { vec: Tensor; pe: Positions }): Streams {
    return scoped(img.gpu, () => {
      const [imgMod1, imgMod2] = this.img_mod.forward(vec) as [ModulationOut, ModulationOut];
      const [txtMod1, txtMod2] = this.txt_mod.forward(vec) as [ModulationOut, ModulationOut];
      const i = this.img_attn.heads(layerNorm(img, imgMod1), { ...pe, first: txt.shape[1] ?? 0 });
      const t = this.txt_attn.heads(layerNorm(txt, txtMod1), { ...pe, first: 0 });
      const joint = attend({ q: concat([t.q, i.q], 1), k: concat([t.k, i.k], 1), v: concat([t.v, i.v], 1) });
      const [txtOut, imgOut] = split(joint, 1, [txt.shape[1] ?? 0, img.shape[1] ?? 0]) as [Tensor, Tensor];
      return {
        img: feedForward(this.img_attn.proj.addTo(img, imgOut, imgMod1), this.img_mlp, imgMod2),
        txt: feedForward(this.txt_attn.proj.addTo(txt, txtOut, txtMod1), this.txt_mlp, txtMod2),
      };
    });
  }
}

function feedForward(x: Tensor, mlp: Mlp, mod: ModulationOut): Tensor {
  return mlp.addTo(x, layerNorm(x, mod), mod);
}
