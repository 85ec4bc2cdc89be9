import { read } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { pack, unpack } from "../../../packages/core/mmdit/tokens.ts";
import { randomTensor } from "../../helpers/gpu.ts";

const SHAPE = [2, 6, 10, 3];

test("pack() puts 2x2 latent pixels into a token, channels ordered (c, row, column)", async () => {
  const z = randomTensor(SHAPE);
  const tokens = pack(z.tensor);
  expect(tokens.shape).toEqual([2, 15, 12]);
  const [values] = await read(tokens);
  const at = (batch: number, row: number, column: number, c: number) =>
    z.data[((batch * 6 + row) * 10 + column) * 3 + c];
  const wanted = Array.from({ length: z.data.length }, (_, i) => {
    const [channel, token] = [i % 12, Math.floor(i / 12) % 15];
    const [row, column] = [Math.floor(token / 5), token % 5];
    const [c, dy, dx] = [Math.floor(channel / 4), Math.floor(channel / 2) % 2, channel % 2];
    return at(Math.floor(i / 180), 2 * row + dy, 2 * column + dx, c);
  });
  expect([...values!]).toEqual(wanted);
});

test("unpack() undoes pack()", async () => {
  const z = randomTensor(SHAPE);
  const [values] = await read(unpack(pack(z.tensor), { height: 6, width: 10 }));
  expect(values).toEqual(z.data);
});

test("pack() refuses odd sizes", () => {
  expect(() => pack(randomTensor([1, 3, 2, 1]).tensor)).toThrow("height and width must be even: given 3 x 2");
});
