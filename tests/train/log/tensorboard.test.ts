// @ts-types="crc-32"
import crc32c from "crc-32/crc32c.js";
import protobuf from "protobufjs";
import { afterAll, expect, test } from "vitest";
import { EventFile } from "../../../packages/train/log/tensorboard.ts";

const folder = await Deno.makeTempDir();
afterAll(() => Deno.remove(folder, { recursive: true }));

// Of the 1 x 1 PNG only the header is read: signature, length and name of the chunk, width 3, height 2.
const PNG = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 3, 0, 0, 0, 2);

/** The data of all records, whose lengths and checksums are as the format wants them. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const unmasked = (at: number) => {
    const crc = (view.getUint32(at, true) - 0xa282ead8) >>> 0;
    return ((crc >>> 17) | (crc << 15)) >>> 0;
  };
  const crcOf = (from: number, to: number) => crc32c.buf(bytes.subarray(from, to)) >>> 0;
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 12 + Number(view.getBigUint64(at, true));
    expect(unmasked(at + 8)).toBe(crcOf(at, at + 8));
    expect(unmasked(end)).toBe(crcOf(at + 12, end));
    records.push(bytes.subarray(at + 12, end));
    at = end + 4;
  }
  return records;
}

/** The fields of a message by number, without a schema: varints as numbers, the rest as bytes. */
function fieldsOf(bytes: Uint8Array): [number, number | Uint8Array][] {
  const reader = protobuf.Reader.create(bytes);
  const fields: [number, number | Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const read = {
      0: () => reader.uint32(),
      1: () => reader.double(),
      2: () => reader.bytes(),
      5: () => reader.float(),
    };
    fields.push([tag >>> 3, read[(tag & 7) as 0 | 1 | 2 | 5]()]);
  }
  return fields;
}

const text = (value: string) => new TextEncoder().encode(value);
const inside = (event: Uint8Array, field: number) =>
  fieldsOf(new Map(fieldsOf(event)).get(field) as Uint8Array).map(([, value]) => fieldsOf(value as Uint8Array));

test("EventFile writes records that TensorBoard reads", async () => {
  const now = () => new Date("2026-01-02T03:04:05.500Z");
  const file = new EventFile(folder, { now });
  await file.start({ from: 41 });
  await file.scalars(7, { "loss/total": 0.5, lr: -2 });
  await file.image(300, { tag: "validation", png: PNG });
  expect(file.path).toMatch(/tfevents/);

  const [version, session, scalars, image, ...rest] = recordsOf(await Deno.readFile(file.path));
  const wallTime = [1, now().getTime() / 1000];
  expect(rest).toEqual([]);
  expect(fieldsOf(version!)).toEqual([wallTime, [3, text("brain.Event:2")]]);
  expect(fieldsOf(session!)).toEqual([wallTime, [2, 41], [7, Uint8Array.of(8, 1)]]);
  expect(fieldsOf(scalars!).slice(0, 2)).toEqual([wallTime, [2, 7]]);
  expect(inside(scalars!, 5)).toEqual([
    [[1, text("loss/total")], [2, 0.5]],
    [[1, text("lr")], [2, -2]],
  ]);
  const [[tag, picture] = []] = inside(image!, 5);
  expect(tag).toEqual([1, text("validation")]);
  expect(fieldsOf(picture![1] as Uint8Array)).toEqual([[1, 2], [2, 3], [3, 3], [4, PNG]]);
});
