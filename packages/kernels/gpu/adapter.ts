/** What an adapter is, in words and numbers. */
export interface AdapterSummary {
  readonly description: string;
  readonly vendor: string;
  /** A CPU behind the GPU interface (llvmpipe, SwiftShader): workgroup memory costs more than it saves there. */
  readonly software: boolean;
  readonly features: readonly string[];
  /** The fewest and most lanes of a subgroup, where kernels may use subgroups. */
  readonly subgroups: { readonly min: number; readonly max: number } | undefined;
}
