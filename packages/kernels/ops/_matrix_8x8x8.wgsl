// The matrix units multiply [8, 8] by [8, 8].
const UNIT_M = 8u;
const UNIT_N = 8u;
const UNIT_K = 8u;
