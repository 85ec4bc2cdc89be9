import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  openSafetensors,
  type TensorData,
  writeSafetensors,
} from "../../../../packages/core/weights/safetensors/safetensors.ts";
import { golden, inputError, messageOf, rawFile } from "../_files.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const folder = temporaryFolder();

function path(name: string, bytes?: Uint8Array): string {
  const path = join(folder, name);
  if (bytes) Deno.writeFileSync(path, bytes);
  return path;
}

/** The message for a file of these contents. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const message = await messageOf(openSafetensors(path("bad.safetensors", bytes)));
  const start = `Cannot open ${JSON.stringify(path("bad.safetensors"))}: `;
  expect(message.startsWith(start)).toBe(true);
  return message.slice(start.length);
}

const F32_2 = { dtype: "F32", shape: [2], data_offsets: [0, 8] };

describe("openSafetensors()", () => {
  it("lists the tensors and reads one", async () => {
    using file = await openSafetensors(golden("lora/lora.safetensors"));
    const name = "double_blocks.0.img_mod.lin.lora_A.weight";
    expect(file.tensors.get(name)).toMatchObject({ dtype: "F32", shape: [4, 64] });
    expect(await file.read(name)).toHaveLength(4 * 64 * 4);
  });

  it("gives the same bytes when many reads are under way at once", async () => {
    using file = await openSafetensors(golden("lora/lora.safetensors"));
    const whole = Deno.readFileSync(file.path);
    const dataStart = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    await Promise.all([...file.tensors].map(async ([name, { begin, end }]) => {
      expect(await file.read(name)).toEqual(whole.slice(dataStart + begin, dataStart + end));
    }));
  });

  it("accepts dtypes that are no weights, scalars, empty tensors and no tensors", async () => {
    const header = {
      id: { dtype: "I64", shape: [], data_offsets: [0, 8] },
      none: { dtype: "F32", shape: [0, 3], data_offsets: [8, 8] },
      packed: { dtype: "F4", shape: [4], data_offsets: [8, 10] },
    };
    using file = await openSafetensors(path("a.safetensors", rawFile(header, { dataBytes: 10 })));
    expect(await file.read("none")).toHaveLength(0);
    expect(await file.read("id")).toHaveLength(8);
    using empty = await openSafetensors(path("empty.safetensors", rawFile({})));
    expect(empty.tensors.size).toBe(0);
  });

  it("refuses what is no file", async () => {
    expect(await messageOf(openSafetensors(path("none")))).toBe(`Cannot open "${path("none")}": no such file`);
    expect(await messageOf(openSafetensors(folder))).toBe(
      `Cannot open "${folder}": path must be a file: it is a folder`,
    );
    expect(await messageOf(openSafetensors("/dev/null"))).toMatch(/must be a file: it is a device or pipe/);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["a short file", new Uint8Array(7), /^a safetensors file must have at least 8 bytes: file has 7$/],
    [
      "a header longer than the file",
      rawFile("{}", { length: 9000n }),
      /^header length must fit the file: header says 9000 bytes, file has 10$/,
    ],
    [
      "an absurd header length",
      rawFile("{}", { length: 2n ** 64n - 1n }),
      /^header must have at most 104857600 bytes: header length says 18446744073709551615$/,
    ],
    ["bytes that are not UTF-8", rawFile(Uint8Array.of(0x7b, 0xff, 0x7d)), /^header must be UTF-8 text/],
    ["text that is not JSON", rawFile("{nope}"), /^header must be JSON/],
    ["an empty header", rawFile(""), /^header must be JSON/],
    ["a list", rawFile([1]), /^header must be a JSON object: it is \[1\]$/],
    ["null", rawFile("null"), /^header must be a JSON object: it is null$/],
    ["deep JSON", rawFile("[".repeat(1e6) + "]".repeat(1e6)), /^header must be/],
    ["metadata that is no map", rawFile({ __metadata__: [] }), /^__metadata__ must map names to strings/],
    ["metadata that is no text", rawFile({ __metadata__: { a: 1 } }), /^__metadata__ must map names to strings/],
    [
      "an entry that is no object",
      rawFile({ w: 7 }),
      /^tensor "w" must be an object with dtype, shape and data_offsets: it is 7$/,
    ],
    [
      "an unknown dtype",
      rawFile({ w: { ...F32_2, dtype: "F31" } }),
      /^tensor "w" must have a known dtype: dtype is "F31"$/,
    ],
    ["a dtype of Object", rawFile({ w: { ...F32_2, dtype: "toString" } }), /must have a known dtype/],
    ["no dtype", rawFile({ w: { shape: [] } }), /known dtype: dtype is missing$/],
    ["a negative size", rawFile({ w: { ...F32_2, shape: [-2] } }), /non-negative integers: shape is \[-2\]$/],
    ["a fractional size", rawFile({ w: { ...F32_2, shape: [0.5] } }), /non-negative integers: shape is \[0.5\]$/],
    [
      "a size above 2^53",
      rawFile(`{"w":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}}`),
      /non-negative integers/,
    ],
    ["a shape that is no list", rawFile({ w: { ...F32_2, shape: 2 } }), /shape is 2$/],
    [
      "a product above 2^53",
      rawFile({ w: { ...F32_2, shape: [2 ** 40, 2 ** 40] } }),
      /must have a size below 2\^53 bits/,
    ],
    [
      "a product that overflows before a 0",
      rawFile({ w: { ...F32_2, shape: Array(99).fill(2 ** 50).concat(0) } }),
      /must have a size below 2\^53 bits/,
    ],
    [
      "no offsets",
      rawFile({ w: { dtype: "F32", shape: [2] } }),
      /\[begin, end\] with 0 <= begin <= end: they are missing$/,
    ],
    ["offsets the wrong way round", rawFile({ w: { ...F32_2, data_offsets: [8, 0] } }), /they are \[8, 0\]$/],
    ["three offsets", rawFile({ w: { ...F32_2, data_offsets: [0, 4, 8] } }), /they are \[0, 4, 8\]$/],
    [
      "offsets of another size",
      rawFile({ w: { ...F32_2, data_offsets: [0, 4] } }),
      /^tensor "w" must take 8 bytes as F32 \[2\]: data_offsets give it 4$/,
    ],
    [
      "truncated data",
      rawFile({ w: F32_2 }, { dataBytes: 5 }),
      /^file is truncated: its tensors need 8 bytes of data, it has 5$/,
    ],
    [
      "overlapping tensors",
      rawFile({ v: F32_2, w: { ...F32_2, data_offsets: [4, 12] } }, { dataBytes: 12 }),
      /^tensors must not overlap: tensor "w" begins at 4, the data before it ends at 8$/,
    ],
    [
      "a hole",
      rawFile({ v: F32_2, w: { ...F32_2, data_offsets: [12, 20] } }, { dataBytes: 20 }),
      /^tensors must leave no holes: tensor "w" begins at 12/,
    ],
    [
      "a hole at the start",
      rawFile({ w: { ...F32_2, data_offsets: [4, 12] } }, { dataBytes: 12 }),
      /^tensors must leave no holes/,
    ],
    [
      "bytes after the last tensor",
      rawFile({ w: F32_2 }, { dataBytes: 9 }),
      /^tensors must fill the file: 1 bytes follow the last one$/,
    ],
  ])("refuses %s", async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });

  it("keeps names with line breaks and long names on one short line", async () => {
    const message = await refusal(rawFile({ [`a\n${"b".repeat(5000)}`]: 0 }));
    expect(message.length).toBeLessThan(300);
    expect(message).toContain("a\\nbbb");
  });
});

describe("SafetensorsFile", () => {
  it("refuses a tensor that the file does not have", async () => {
    using file = await openSafetensors(path("f.safetensors", rawFile({ w: F32_2 }, { dataBytes: 8 })));
    expect(await messageOf(file.read("x"))).toBe(`Cannot read "x" of "${file.path}": file has no such tensor`);
  });

  it("reads some rows without the others", async () => {
    const file = path("rows.safetensors", new Uint8Array());
    const bytes = Uint8Array.from({ length: 3 * 2 * 5 }, (_, i) => i);
    await writeSafetensors(file, [
      ["v", { dtype: "F32", shape: [1], bytes: new Uint8Array(4) }],
      ["w", { dtype: "BF16", shape: [3, 5], bytes }],
    ]);
    using opened = await openSafetensors(file);
    expect(await opened.readRows("w", [1, 3])).toEqual(bytes.slice(10));
    expect(await opened.readRows("w", [1, 1])).toEqual(new Uint8Array());
    expect(await messageOf(opened.readRows("x", [0, 1]))).toBe(`Cannot read "x" of "${file}": file has no such tensor`);
  });

  it("says so if the file became shorter after it was opened, and can go on reading", async () => {
    const header = { v: F32_2, w: { ...F32_2, data_offsets: [8, 16] } };
    using file = await openSafetensors(path("short.safetensors", rawFile(header, { dataBytes: 16 })));
    Deno.truncateSync(file.path, Deno.statSync(file.path).size - 3);
    expect(await messageOf(file.read("w"))).toMatch(/file became shorter: wanted 8 bytes at \d+, got 5$/);
    expect(await file.read("v")).toHaveLength(8);
  });

  it("can be closed twice, and not read afterwards", async () => {
    const file = await openSafetensors(path("c.safetensors", rawFile({ w: F32_2 }, { dataBytes: 8 })));
    file.close();
    file.close();
    await expect(file.read("w")).rejects.toThrow("file is closed");
  });
});

describe("writeSafetensors()", () => {
  const tensors: [string, TensorData][] = [
    ["half", { dtype: "F16", shape: [3], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) }],
    ["full", { dtype: "F32", shape: [1, 2], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    ["none", { dtype: "BF16", shape: [0], bytes: new Uint8Array(0) }],
  ];

  it("writes what openSafetensors() reads, with aligned data", async () => {
    await writeSafetensors(path("w.safetensors"), tensors, { metadata: { format: "pt", Ünï: "日本" } });
    using file = await openSafetensors(path("w.safetensors"));
    expect(file.metadata).toEqual({ format: "pt", Ünï: "日本" });
    for (const [name, { dtype, shape, bytes }] of tensors) {
      expect(file.tensors.get(name)).toMatchObject({ dtype, shape });
      expect(await file.read(name)).toEqual(bytes);
    }
    const { buffer } = Deno.readFileSync(file.path);
    expect(new DataView(buffer).getBigUint64(0, true) % 8n).toBe(0n);
    expect(file.tensors.get("full")!.begin).toBe(0);
  });

  it("replaces a file, and leaves nothing beside it", async () => {
    const own = temporaryFolder();
    await writeSafetensors(join(own, "w.safetensors"), tensors);
    await writeSafetensors(join(own, "w.safetensors"), tensors.slice(0, 1));
    expect([...Deno.readDirSync(own)].map(({ name }) => name)).toEqual(["w.safetensors"]);
    using file = await openSafetensors(join(own, "w.safetensors"));
    expect([...file.tensors.keys()]).toEqual(["half"]);
  });

  it("names a folder that does not exist", async () => {
    const error = await inputError(writeSafetensors(join(folder, "no", "w.safetensors"), tensors));
    expect(error.message).toBe(`Cannot write "${join(folder, "no", "w.safetensors")}": no such file or folder`);
  });

  it("leaves what was there, and no temporary file, if writing fails", async () => {
    const own = temporaryFolder();
    Deno.mkdirSync(join(own, "w.safetensors"));
    await inputError(writeSafetensors(join(own, "w.safetensors"), tensors));
    expect([...Deno.readDirSync(own)].map(({ name }) => name)).toEqual(["w.safetensors"]);
  });

  it("refuses bytes that do not fit the shape, and a name used twice", async () => {
    const [[, half]] = tensors as [[string, TensorData]];
    await expect(writeSafetensors(path("r"), [["w", { ...half, shape: [4] }]])).rejects.toThrow(RangeError);
    await expect(writeSafetensors(path("r"), [["w", half], ["w", half]])).rejects.toThrow("names must differ");
  });
});
