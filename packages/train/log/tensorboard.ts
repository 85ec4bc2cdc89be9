import { join } from "node:path";
// @ts-types="crc-32"
import crc32c from "crc-32/crc32c.js";
import protobuf from "protobufjs";
import { append } from "./append.ts";

/** The fields used here of TensorFlow's `event.proto` and `summary.proto`. */
const EVENT = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { id: 1, type: "double" },
        step: { id: 2, type: "int64" },
        fileVersion: { id: 3, type: "string" },
        summary: { id: 5, type: "Summary" },
        sessionLog: { id: 7, type: "SessionLog" },
      },
    },
    Summary: { fields: { value: { id: 1, type: "Value", rule: "repeated" } } },
    Value: {
      fields: {
        tag: { id: 1, type: "string" },
        simpleValue: { id: 2, type: "float" },
        image: { id: 4, type: "Image" },
      },
    },
    Image: {
      fields: {
        height: { id: 1, type: "int32" },
        width: { id: 2, type: "int32" },
        colorspace: { id: 3, type: "int32" },
        encodedImageString: { id: 4, type: "bytes" },
      },
    },
    SessionLog: { fields: { status: { id: 1, type: "int32" } } },
  },
}).lookupType("Event");

/** The version from which on TensorBoard looks at the session's status. */
const FILE_VERSION = "brain.Event:2";
const SESSION_START = 1;
const RGB = 3;

/** A file of events that TensorBoard shows. */
export class EventFile {
  readonly path: string;
  readonly #now: () => Date;

  /** @param folder which must exist; its event files are one run */
  constructor(folder: string, { now = () => new Date() }: { now?: () => Date } = {}) {
    this.path = join(folder, `events.out.tfevents.${String(now().getTime()).padStart(16, "0")}.fluxsr`);
    this.#now = now;
  }

  /** Begins the file. What other files of the run say of step `from` and later does not count any more. */
  async start({ from }: { from: number }): Promise<void> {
    await this.#write({ fileVersion: FILE_VERSION });
    await this.#write({ step: from, sessionLog: { status: SESSION_START } });
  }

  /** Adds values by name; a `/` in a name makes groups. */
  async scalars(step: number, values: Readonly<Record<string, number>>): Promise<void> {
    const value = Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue }));
    await this.#write({ step, summary: { value } });
  }

  /** Adds a picture. @param png 8-bit RGB */
  async image(step: number, { tag, png }: { tag: string; png: Uint8Array }): Promise<void> {
    // The first chunk, behind the signature and its own length and name, begins with width and height.
    const header = new DataView(png.buffer, png.byteOffset + 16);
    const [width, height] = [header.getUint32(0), header.getUint32(4)];
    const image = { width, height, colorspace: RGB, encodedImageString: png };
    await this.#write({ step, summary: { value: [{ tag, image }] } });
  }

  async #write(event: Record<string, unknown>): Promise<void> {
    const wallTime = this.#now().getTime() / 1000;
    await append(this.path, record(EVENT.encode(EVENT.fromObject({ wallTime, ...event })).finish()));
  }
}

/** A record of TensorFlow's TFRecord format: length, its checksum, data, its checksum; little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

/** CRC-32C, turned right by 15 bits and moved by a constant: a checksum of data with checksums would be weak. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes);
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}
