// The matrix units multiply [8, 16] by [16, 16].
const UNIT_M = 8u;
const UNIT_N = 16u;
const UNIT_K = 16u;
