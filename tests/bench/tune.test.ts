import { expect, test } from "vitest";
import { timedBy } from "../../bench/run_rows.ts";
import { productsBy } from "../../bench/tune.ts";

const adapter = { software: true };

test("a filter chooses ops by name or shape, and the program whose name or part it is", () => {
  const names = (filter: string) => {
    const { cases, programs } = timedBy(adapter, filter);
    return [cases.length > 0, programs.map(({ name }) => name)];
  };
  expect(names("")).toEqual([true, ["runtime", "upscale", "train_step"]]);
  expect(names("rope/starter")).toEqual([true, []]);
  expect(names("1024 x 192 x 576 nt")).toEqual([true, []]);
  expect(names("train_step/starter-128.wall")).toEqual([false, ["train_step"]]);
  expect(names("train_steps")).toEqual([false, []]);
});

test("only products are tuned, and there must be some", () => {
  const products = productsBy(adapter, "starter.level1");
  expect(products.map(({ name }) => name)).toEqual([
    "conv2d/starter.level1",
    "conv2d_backward/starter.level1.dx",
    "conv2d_backward/starter.level1.dw",
  ]);
  expect(() => productsBy(adapter, "rope")).toThrow(
    'Cannot tune "rope": it must be part of a product\'s name or shape: it is of none',
  );
});
