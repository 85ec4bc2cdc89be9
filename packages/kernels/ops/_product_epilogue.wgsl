// What is applied to a product before it is written, beside alpha, bias and an activation function. The op provides
// output_row(row): which row of C, of all batches, a row of the product is.
const NOWHERE = 0xffffffffu;

override HAS_ADDEND: bool = false;
