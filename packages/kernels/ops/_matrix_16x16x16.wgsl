// The matrix units multiply [16, 16] by [16, 16].
const UNIT_M = 16u;
const UNIT_N = 16u;
const UNIT_K = 16u;
