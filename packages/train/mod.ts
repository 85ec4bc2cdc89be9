/**
 * Training by Flow Trajectory Distillation. So far its loss; the trainer is to come.
 *
 * @module
 */
export { ftdLoss } from "./losses/ftd.ts";
