/** How threads share a product, and how large a tile of it a workgroup computes. */
export interface Tiling {
  /**
   * Subgroups of 8 lanes; workgroup memory; all threads along K, for a few rows; matrix units; or, of a convolution,
   * Winograd's transformation, which has products of its own.
   */
  readonly by: "lanes" | "shared" | "few" | "matrix" | "winograd";
  /** Rows of C in a workgroup's tile; of Winograd's tiles lines of pixels. */
  readonly rows: number;
  /** Columns of C in a workgroup's tile; of Winograd's tiles columns of pixels. */
  readonly columns: number;
  /** Threads of a workgroup, where rows and columns do not tell: by matrix units. */
  readonly threads?: number;
  /** Parts that K is divided into, whose sums are added in a pass of their own; 1 for none. */
  readonly splits: number;
}

/** What a way of computing a product is chosen by. */
export interface ProductShape {
  /**
   * `conv2d_narrow` has output channels for rows, pixels for columns; `conv2d_3x3` is one of stride 1, of x or of its
   * result's gradient, without a ReLU; `conv2d_weight_3x3` is the gradient of a 3 x 3 weight, with stride 1.
   */
  readonly op: "matmul" | "conv2d" | "conv2d_3x3" | "conv2d_narrow" | "conv2d_weight" | "conv2d_weight_3x3";
  readonly rows: number;
  readonly columns: number;
  /** Steps of K in a segment. */
  readonly depth: number;
  /** Segments of K, the taps of a convolution; default 1. */
  readonly segments?: number;
  readonly batches: number;
  /** Whether rows of A, not steps of K, are neighbours in memory; default false. */
  readonly transposeA?: boolean;
  /** Whether steps of K, not columns of B, are neighbours in memory; default false. */
  readonly transposeB?: boolean;
}

/** What {@linkcode Tuning} is as JSON: the best {@linkcode Tiling} by class of shape. */
export type TuningJson = Readonly<Record<string, Tiling>>;

/** The choices that were measured to be best on one adapter, by class of shape. */
export class Tuning {
  readonly #products: Map<string, Tiling>;

  constructor(products: TuningJson = {}) {
    this.#products = new Map(Object.entries(products));
  }

  /** The best for `shape`, if a shape of its class was measured. */
  product(shape: ProductShape): Tiling | undefined {
    return this.#products.size === 0 ? undefined : this.#products.get(classOf(shape));
  }

  /** Remembers that `tiling` is best for shapes like `shape`. */
  set(shape: ProductShape, tiling: Tiling): void {
    this.#products.set(classOf(shape), tiling);
  }

  toJSON(): TuningJson {
    return Object.fromEntries([...this.#products].sort(([a], [b]) => a < b ? -1 : 1));
  }
}

/** Shapes whose sizes are nearest to the same powers of two are of one class, e.g. `matmul.nt 1024x512x256`. */
export function classOf(
  { op, rows, columns, depth, segments = 1, batches, transposeA, transposeB }: ProductShape,
): string {
  const near = (size: number) => 2 ** Math.round(Math.log2(size));
  const form = `${op}.${transposeA ? "t" : "n"}${transposeB ? "t" : "n"}`;
  return `${form} ${near(rows * batches)}x${near(columns)}x${near(depth * segments)}`;
}
