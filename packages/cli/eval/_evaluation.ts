import { type Figures, meanFigures } from "@fluxsr/core";

/** What the ground truth is called among the methods; of it there is NIQE alone. */
export const TRUTH = "GT";

/** All that a run of `eval` found out; names are those of its JSON. */
export interface Evaluation {
  readonly adapter: { readonly description: string; readonly vendor: string; readonly software: boolean };
  readonly model: {
    readonly name: string;
    readonly path: string;
    readonly lora: string | null;
    readonly strength: number;
  };
  /** The folder of the pairs. */
  readonly pairs: string;
  readonly scale: number;
  readonly crop_border: number;
  /** Where the weights of LPIPS and DISTS are from. */
  readonly network: string;
  /** By method, over all pictures. */
  readonly means: ReadonlyMap<string, Figures>;
  readonly pictures: readonly { readonly name: string; readonly figures: ReadonlyMap<string, Figures> }[];
}

/** Means by method over pictures that all have the same methods. */
export function meansOf(pictures: Evaluation["pictures"]): Map<string, Figures> {
  const methods = [...pictures[0]?.figures.keys() ?? []];
  return new Map(methods.map((method) => [method, meanFigures(pictures.map(({ figures }) => figures.get(method)!))]));
}

/** As JSON, six digits each; a figure that could not be measured, or is infinite, is null. */
export function toJson(evaluation: Evaluation): string {
  return `${JSON.stringify(evaluation, plain, 2)}\n`;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
