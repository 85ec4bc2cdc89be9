import type { MmditConfig } from "../../packages/core/model_folder/configs.ts";
import { gelu, silu } from "./activation.ts";

/** Weights by BFL name. */
export type Weights = ReadonlyMap<string, { readonly values: ArrayLike<number> }>;

/** One sample's inputs: rows of channels, rows of position ids. */
export interface MmditSample {
  readonly img: Rows;
  readonly img_ids: Rows;
  readonly txt: Rows;
  readonly txt_ids: Rows;
  readonly y: readonly number[];
  readonly timestep: number;
  readonly guidance?: number | undefined;
}

type Row = readonly number[];
type Rows = readonly Row[];
/** At most as many as there are. */
type Chunks = number[][] & [Row, Row, Row, Row, Row, Row];

const sums = (x: Row, y: Row): number[] => x.map((value, i) => value + y[i]!);
const dot = (x: Row, y: Row): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);

/** cos, then sin, of 1000 t 10000^(-k / 128). */
export function timeEmbedding(t: number): number[] {
  const angles = Array.from({ length: 128 }, (_, k) => 1000 * t / 10_000 ** (k / 128));
  return [...angles.map(Math.cos), ...angles.map(Math.sin)];
}

/** FLUX's transformer in plain loops, one sample at a time: all values of interest by name, rows of channels. */
export function mmdit(config: MmditConfig, weights: Weights, sample: MmditSample): Map<string, Rows> {
  const { hidden_size: width, num_heads: heads, axes_dim, theta } = config;
  const size = width / heads;
  const results = new Map<string, Rows>();

  function weight(name: string): ArrayLike<number> {
    const found = weights.get(name);
    if (!found) throw new Error(`the reference needs "${name}"`);
    return found.values;
  }

  function linear(name: string, rows: Rows, { bias = true } = {}): number[][] {
    const w = weight(`${name}.weight`);
    const inner = rows[0]!.length;
    const offsets = bias ? Array.from(weight(`${name}.bias`)) : Array<number>(w.length / inner).fill(0);
    return rows.map((x) =>
      offsets.map((b, out) => {
        let sum = 0;
        for (let i = 0; i < inner; i++) sum += x[i]! * w[out * inner + i]!;
        return b + sum;
      })
    );
  }

  const embedder = (name: string, x: Row): number[] =>
    linear(`${name}.out_layer`, [linear(`${name}.in_layer`, [x])[0]!.map(silu)])[0]!;

  const chunks = (x: Row): number[][] =>
    Array.from({ length: x.length / width }, (_, i) => x.slice(i * width, (i + 1) * width));

  /** `(1 + scale) LN(x) + shift` */
  function modulate(rows: Rows, shift: Row, scale: Row): number[][] {
    return rows.map((x) => {
      const mean = x.reduce((sum, value) => sum + value, 0) / width;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      return x.map((value, i) => (1 + scale[i]!) * (value - mean) / Math.sqrt(variance + 1e-6) + shift[i]!);
    });
  }

  const gated = (rows: Rows, gate: Row, added: Rows): number[][] =>
    rows.map((x, row) => x.map((value, i) => value + gate[i]! * added[row]![i]!));

  /** Head `head` of block 0 (q), 1 (k) or 2 (v) of each row. */
  function head(rows: Rows, block: number, head: number): number[][] {
    const start = block * width + head * size;
    return rows.map((x) => x.slice(start, start + size));
  }

  function normed(rows: Rows, name: string): number[][] {
    const scale = weight(name);
    return rows.map((x) => {
      const factor = 1 / Math.sqrt(dot(x, x) / size + 1e-6);
      return x.map((value, i) => value * factor * scale[i]!);
    });
  }

  function rotated(rows: Rows, ids: Rows): number[][] {
    return rows.map((x, token) => {
      const angles = axes_dim.flatMap((d, axis) =>
        Array.from({ length: d / 2 }, (_, j) => ids[token]![axis]! / theta ** (2 * j / d))
      );
      return angles.flatMap((angle, pair) => {
        const [a, b] = [x[2 * pair]!, x[2 * pair + 1]!];
        return [a * Math.cos(angle) - b * Math.sin(angle), a * Math.sin(angle) + b * Math.cos(angle)];
      });
    });
  }

  /** Joint attention of streams [qkv rows, prefix of the norms' names], whose tokens follow each other. */
  function attention(streams: readonly (readonly [Rows, string])[]): number[][] {
    const ids = [...sample.txt_ids, ...sample.img_ids];
    const out: number[][] = ids.map(() => []);
    for (let h = 0; h < heads; h++) {
      const part = (block: number, norm: string) =>
        rotated(streams.flatMap(([qkv, name]) => normed(head(qkv, block, h), `${name}norm.${norm}_norm.scale`)), ids);
      const q = part(0, "query"), k = part(1, "key"), v = streams.flatMap(([qkv]) => head(qkv, 2, h));
      q.forEach((query, token) => {
        const powers = k.map((key) => Math.exp(dot(query, key) / Math.sqrt(size)));
        const total = powers.reduce((sum, power) => sum + power, 0);
        for (let i = 0; i < size; i++) out[token]!.push(dot(powers, v.map((row) => row[i]!)) / total);
      });
    }
    return out;
  }

  let vec = embedder("time_in", timeEmbedding(sample.timestep));
  if (config.guidance_embed) vec = sums(vec, embedder("guidance_in", timeEmbedding(sample.guidance!)));
  vec = sums(vec, embedder("vector_in", sample.y));
  results.set("vec", [vec]);
  const modulation = (name: string) => chunks(linear(name, [vec.map(silu)])[0]!);

  let streams = { txt: linear("txt_in", sample.txt), img: linear("img_in", sample.img) };
  for (let i = 0; i < config.depth; i++) {
    const block = `double_blocks.${i}.`;
    const mods = { txt: modulation(`${block}txt_mod.lin`), img: modulation(`${block}img_mod.lin`) };
    const qkv = (stream: "txt" | "img") => {
      const name = `${block}${stream}_attn.`;
      const x = modulate(streams[stream], mods[stream][0]!, mods[stream][1]!);
      return [linear(`${name}qkv`, x, { bias: config.qkv_bias }), name] as const;
    };
    const joint = attention([qkv("txt"), qkv("img")]);
    const finish = (stream: "txt" | "img", attended: Rows) => {
      const [, , gate1, shift2, scale2, gate2] = mods[stream] as Chunks;
      const x = gated(streams[stream], gate1, linear(`${block}${stream}_attn.proj`, attended));
      const hidden = linear(`${block}${stream}_mlp.0`, modulate(x, shift2, scale2)).map((row) => row.map(gelu));
      return gated(x, gate2, linear(`${block}${stream}_mlp.2`, hidden));
    };
    const tokens = sample.txt.length;
    streams = { txt: finish("txt", joint.slice(0, tokens)), img: finish("img", joint.slice(tokens)) };
    results.set(`double.${i}.txt`, streams.txt).set(`double.${i}.img`, streams.img);
  }

  let x = [...streams.txt, ...streams.img];
  for (let i = 0; i < config.depth_single_blocks; i++) {
    const block = `single_blocks.${i}.`;
    const [shift, scale, gate] = modulation(`${block}modulation.lin`) as Chunks;
    const h = linear(`${block}linear1`, modulate(x, shift, scale));
    const attended = attention([[h, block]]);
    const joined = attended.map((row, token) => [...row, ...h[token]!.slice(3 * width).map(gelu)]);
    x = gated(x, gate, linear(`${block}linear2`, joined));
    results.set(`single.${i}`, x);
  }

  const [shift, scale] = modulation("final_layer.adaLN_modulation.1") as Chunks;
  return results.set("out", linear("final_layer.linear", modulate(x.slice(sample.txt.length), shift, scale)));
}
