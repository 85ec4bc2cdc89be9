import type { Sample } from "../case.ts";
import type { Peer } from "./peer.ts";
import type { Task } from "./task.ts";

/** One computation that every library is given. */
export interface Course {
  /** `op/shape`, as the table shows it. */
  readonly name: string;
  /** Bytes of what one computation leaves. */
  readonly bytes: number;
  /** The computation in the library of `peer`, on inputs that are on the GPU. */
  enter(peer: Peer): Promise<Task>;
  samples(): Iterable<Sample>;
}
