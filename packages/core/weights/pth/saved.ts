import type { InputError } from "../../errors.ts";

/** Makes the error for a file that breaks `rule`. */
export type Fail = (rule: string) => InputError;

/** What torch.save wrote, taken apart. */
export interface Saved {
  /** The pickle of the object; it refers to storages by their keys. */
  readonly pickle: Uint8Array;
  /** The bytes of a storage; undefined if there is none of that key. */
  storage(key: string): Uint8Array | undefined;
}
