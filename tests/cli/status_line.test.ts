import { expect, test } from "vitest";
import { StatusLine } from "../../packages/cli/_status_line.ts";
import { fakeHost } from "./_fakes.ts";

test("a status line is replaced, cut to the width, and gone when something else is printed", () => {
  const host = { ...fakeHost(), columns: () => 8 };
  const printed: string[] = [];
  const line = new StatusLine({ ...host, err: (text) => void printed.push(text) });
  line.clear(); // nothing is there yet
  expect([line.show("one"), line.show("two of them")]).toEqual([true, true]);
  line.say("done");
  line.say("again");
  line.show("three");
  line.keep();
  line.keep();
  expect(printed).toEqual([
    ...["\r\x1b[Kone", "\r\x1b[Ktwo of ", "\r\x1b[K", "done\n", "again\n", "\r\x1b[Kthree", "\n"],
  ]);
});

test("without a terminal only lines that stay are printed", () => {
  const host = fakeHost();
  const line = new StatusLine(host);
  expect(line.show("one")).toBe(false);
  line.keep();
  line.say("done");
  expect(host.stderr).toBe("done\n");
});
