import { describe, expect, test } from "vitest";
import { duration, Progress } from "../../packages/cli/_progress.ts";
import { fakeHost } from "./_fakes.ts";

describe("Progress", () => {
  test("prints nothing without a terminal", () => {
    const host = fakeHost();
    const progress = new Progress(host, { files: 1 });
    progress.file(1, "a.png");
    progress.tiles(0, 2);
    progress.clear();
    expect(host.stderr).toBe("");
  });

  test("updates one line and removes it", () => {
    const host = fakeHost({ columns: 80 });
    const progress = new Progress(host, { files: 2 });
    progress.file(1, "a.png");
    progress.tiles(0, 4);
    host.clock = 2000;
    progress.tiles(1, 4);
    progress.clear();
    progress.clear();
    expect(host.stderr.split("\r\x1b[K")).toEqual([
      "",
      "[1/2] reading: a.png",
      "[1/2] tile 1/4: a.png",
      "[1/2] tile 2/4, 14 s left: a.png",
      "",
    ]);
  });

  test("reckons the time left by the files that were upscaled, not by those that failed", () => {
    const host = fakeHost({ columns: 80 });
    const progress = new Progress(host, { files: 4 });
    progress.file(2, "b.png"); // the first one failed
    progress.tiles(0, 1);
    host.clock = 10_000;
    progress.tiles(1, 1);
    expect(host.stderr).toContain("tile 1/1, 20 s left");
  });

  test("reckons the rest of a file by its own tiles", () => {
    const host = fakeHost({ columns: 80 });
    const progress = new Progress(host, { files: 2 });
    progress.file(1, "small.png");
    progress.tiles(0, 1);
    host.clock = 1000;
    progress.tiles(1, 1);
    progress.file(2, "large.png");
    progress.tiles(0, 10);
    host.clock = 6000;
    progress.tiles(1, 10);
    expect(host.stderr).toContain("[2/2] tile 1/10, 1 s left");
    expect(host.stderr).toContain("[2/2] tile 2/10, 45 s left");
  });

  test("never lets the line wrap, nor a file name steer the terminal", () => {
    const host = fakeHost({ columns: 20 });
    new Progress(host, { files: 1 }).file(1, `\x1b[2J${"long".repeat(10)}`);
    expect(host.stderr).toBe("\r\x1b[K[1/1] reading:  [2J");
  });
});

test("duration() is short", () => {
  expect([0.04, 3, 9.94, 9.96, 12.3, 99.9, 125, 3600, 7325].map(duration)).toEqual(
    ["0.0 s", "3 s", "9.9 s", "10 s", "13 s", "100 s", "2:05 min", "60:00 min", "2:02 h"],
  );
});
