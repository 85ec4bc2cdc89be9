/** Degradations that small pictures survive. */
export const MILD = {
  first: { kernel_size: [7, 7], resize_range: [0.9, 1.1] },
  second_order_prob: 0,
  final_kernel_size: [7, 7],
};
