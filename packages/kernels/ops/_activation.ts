/** Values of the constant `ACTIVATION` of `_activation.wgsl`. */
export const ACTIVATIONS = { none: 0, gelu: 1, silu: 2, relu: 3 } as const;
