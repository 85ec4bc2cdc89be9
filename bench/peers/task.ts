/** A computation on inputs that the library holds on the GPU. */
export interface Task {
  /** Enqueues the computation `times` times (once by default), then waits until all are done, as cheaply as can be. */
  run(times?: number): Promise<void>;
  /** The results of one computation, row-major, to be checked before anything is timed. */
  sample(): Promise<readonly Float32Array[]>;
  dispose(): void;
}
