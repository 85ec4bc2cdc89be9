import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { InputError } from "../../../../packages/core/errors.ts";
import { openSafetensors } from "../../../../packages/core/weights/safetensors/safetensors.ts";
import { rawFile } from "../_files.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const MUTATIONS = 2000;
/** The largest file below has 0.4 MB; nothing that it says may make us allocate more than a multiple of that. */
const MAX_ALLOCATION = 16e6;

type Random = (below: number) => number;

/** A multiplicative congruential generator, L'Ecuyer 1999: the same mutations in every run. */
function seeded(seed: number): Random {
  let state = BigInt(seed) * 2n + 1n;
  return (below) => {
    state = (state * 2862933555777941757n) & 0xffffffffffffffffn;
    return Math.floor(Number(state >> 32n) / 2 ** 32 * below);
  };
}

const NUMBERS = [
  "-1",
  "0",
  "1",
  "0.5",
  "1e308",
  "-0",
  "9007199254740993",
  "4294967296",
  "1e999",
  "null",
  `"8"`,
  "[]",
  "{}",
];

function validHeader(random: Random): { text: string; dataBytes: number } {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let begin = 0;
  for (let i = 0; i < 1 + random(12); i++) {
    const [dtype, size] = ([["F32", 4], ["F16", 2], ["BF16", 2], ["I64", 8]] as const)[random(4)]!;
    const shape = Array.from({ length: random(4) }, () => random(5));
    const bytes = shape.reduce((product, each) => product * each, size as number);
    header[`blocks.${i}.weight`] = { dtype, shape, data_offsets: [begin, begin += bytes] };
  }
  return { text: JSON.stringify(header), dataBytes: begin };
}

function replaceNumber(text: string, random: Random): string {
  const places = [...text.matchAll(/\d+/g)];
  const { index, 0: number } = places[random(places.length)]!;
  return text.slice(0, index) + NUMBERS[random(NUMBERS.length)] + text.slice(index + number.length);
}

/** Changes of the header's text, of the whole file, and of the length. */
const TEXT: readonly ((text: string, random: Random) => string)[] = [
  replaceNumber,
  (text, random) => replaceNumber(replaceNumber(text, random), random),
  (text, random) => text.slice(0, random(text.length)),
  (text, random) => {
    const at = random(text.length);
    return text.slice(0, at) + text.slice(at + random(20));
  },
  (text, random) => text.replaceAll(/F32|F16|I64/g, () => ["F32", "F16", "F64", "", "C64", "F4"][random(6)]!),
  (_, random) => ["[", `{"a":`, `{"w":{"shape":[`][random(3)]!.repeat(1 + random(100_000)),
  (text, random) => text.replace(/\[\d*\]/, () => "[".repeat(random(100_000)) + "]".repeat(random(100_000))),
  (text) => text.replace(/("data_offsets":\[\d+,\d+\])(.*)("data_offsets":\[\d+,\d+\])/s, "$3$2$1"),
  (text) => text.replace(/\[(\d+),(\d+)\]/, "[$2,$1]"),
  (text) => text.replace("__metadata__", "__proto__"),
];

const BYTES: readonly ((file: Uint8Array, random: Random) => Uint8Array)[] = [
  (file, random) => {
    for (let flips = 1 + random(4); flips > 0; flips--) file[random(file.length)]! ^= 1 << random(8);
    return file;
  },
  (file, random) => file.slice(0, random(file.length)),
  (file, random) => {
    const longer = new Uint8Array(file.length + 1 + random(64));
    longer.set(file);
    return longer;
  },
  (file, random) => {
    const lengths = [
      0n,
      1n,
      2n ** 64n - 1n,
      2n ** 63n,
      2n ** 53n + 1n,
      2n ** 32n,
      100n * 2n ** 20n,
      BigInt(file.length),
    ];
    new DataView(file.buffer).setBigUint64(0, lengths[random(lengths.length)]!, true);
    return file;
  },
  (file, random) => {
    file[random(8)]! ^= 1 << random(8);
    return file;
  },
];

function mutate(random: Random): Uint8Array {
  const { text, dataBytes } = validHeader(random);
  const change = random(TEXT.length + BYTES.length);
  const changedText = change < TEXT.length ? TEXT[change]!(text, random) : text;
  const file = rawFile(changedText, { dataBytes });
  return change < TEXT.length ? file : BYTES[change - TEXT.length]!(file, random);
}

/** Reads every tensor of the file. True if it opened and is consistent, false if it was refused. */
async function opens(path: string): Promise<boolean> {
  try {
    using file = await openSafetensors(path);
    let total = 0;
    for (const [name, { begin, end }] of file.tensors) {
      const bytes = await file.read(name);
      expect(bytes).toHaveLength(end - begin);
      total += bytes.length;
    }
    const start = new DataView(Deno.readFileSync(path).buffer).getBigUint64(0, true);
    expect(8 + Number(start) + total).toBe(Deno.statSync(path).size);
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message.length).toBeLessThan(500);
    return false;
  }
}

it("openSafetensors() opens or refuses every damaged file, quickly and in little memory", async () => {
  const path = join(temporaryFolder(), "fuzz.safetensors");
  let largest = 0;
  vi.stubGlobal(
    "Uint8Array",
    new Proxy(Uint8Array, {
      construct(target, [first, ...rest]) {
        if (typeof first === "number") largest = Math.max(largest, first);
        return Reflect.construct(target, [first, ...rest]);
      },
    }),
  );
  try {
    const random = seeded(20260801);
    let opened = 0;
    const start = performance.now();
    for (let i = 0; i < MUTATIONS; i++) {
      Deno.writeFileSync(path, mutate(random));
      if (await opens(path)) opened++;
    }
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(MAX_ALLOCATION);
    // Some changes do no harm (a bit of the data, of a name); most do.
    expect(opened).toBeGreaterThan(MUTATIONS / 100);
    expect(opened).toBeLessThan(MUTATIONS / 2);
  } finally {
    vi.unstubAllGlobals();
  }
}, 30_000);
