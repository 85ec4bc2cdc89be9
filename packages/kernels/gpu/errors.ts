/** What helps where memory or an adapter's limit does not do; commands have their own names for it. */
export const DO_LESS = "do less at a time: smaller tiles, pictures, batches or texts";

/** A WebGPU failure: the message names the kernel or buffer and, for a shader, the WGSL line. */
export class GpuError extends Error {
  override readonly name: string = "GpuError";
  /** What the user can do about it, one sentence. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** No adapter, or the adapter lacks something that was asked for. */
export class UnsupportedFeatureError extends GpuError {
  override readonly name = "UnsupportedFeatureError";
}

/** An allocation failed, or is larger than the adapter's limits allow. */
export class OutOfMemoryError extends GpuError {
  override readonly name: string = "OutOfMemoryError";
}

/** An allocation is larger than the adapter's limits allow, however much memory is free. */
export class BufferLimitError extends OutOfMemoryError {
  override readonly name = "BufferLimitError";
}

/** The device is gone (driver reset, unplugged, destroyed): nothing on it can be used again. */
export class DeviceLostError extends GpuError {
  override readonly name = "DeviceLostError";
}
