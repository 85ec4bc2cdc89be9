import { expect, test } from "vitest";
import { type Grouping, inGroups } from "../../../../packages/train/data/pairs/groups.ts";
import { ToyMaker } from "./_pairs.ts";

/** Asks for pairs `numbers` in turn: which groups were made for them at once. */
async function groupsFor(numbers: readonly number[], grouping: Grouping): Promise<number[][][]> {
  const asked: number[][][] = [];
  const toy = new ToyMaker();
  const maker = inGroups(grouping, async (groups) => {
    asked.push(groups.map((group) => [...group]));
    return await Promise.all(groups.flat().map((i) => toy.make(i)));
  });
  for (const i of numbers) expect(await maker.make(i)).toEqual(await toy.make(i));
  return asked;
}

test("inGroups() makes the group of a pair and those that follow, once", async () => {
  expect(await groupsFor([3, 4, 5, 6, 7, 2], { size: 2, together: 2, end: Infinity })).toEqual([
    [[2, 3], [4, 5]],
    [[6, 7], [8, 9]],
    [[2, 3], [4, 5]],
  ]);
});

test("inGroups() makes no group beside another that has none of the pairs asked for", async () => {
  expect(await groupsFor([0, 4, 6], { size: 2, together: 2, end: 5 })).toEqual([[[0, 1], [2, 3]], [[4, 5]], [[6, 7]]]);
});
