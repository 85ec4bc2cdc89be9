import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type OutputOptions, planOutputs } from "../../packages/cli/_outputs.ts";
import { folderWith, namesIn, removeFolders } from "./_fakes.ts";

let folder = "";

/** Outputs and errors for inputs and an output below a folder with `files`. */
async function plan(
  { inputs, files = inputs, output, ...rest }: { inputs: string[]; files?: string[] } & Partial<OutputOptions>,
) {
  folder = folderWith(Object.fromEntries(files.map((name) => [name, ""])));
  const jobs = await planOutputs(inputs.map((name) => ({ path: join(folder, name) })), {
    output: output === undefined ? undefined : `${folder}/${output}`,
    scale: 4,
    compare: false,
    overwrite: false,
    isList: inputs.length > 1,
    ...rest,
  });
  const below = (text: string) => text.replaceAll(`${folder}/`, "");
  return {
    outputs: jobs.map(({ output }) => below(output)),
    comparisons: jobs.map(({ comparison }) => comparison && below(comparison)),
    errors: jobs.map(({ error }) => error && below(error.message)),
    hints: jobs.map(({ error }) => error?.hint),
  };
}

afterEach(removeFolders);

describe("planOutputs() names", () => {
  test("<name>_x<scale>.png beside the input", async () => {
    const { outputs, errors } = await plan({ inputs: ["a.b.jpg", "sub/c"], scale: 3 });
    expect(outputs).toEqual(["a.b_x3.png", "sub/c_x3.png"]);
    expect(errors).toEqual([undefined, undefined]);
  });

  test("the file that is asked for, and its comparison as PNG", async () => {
    const { outputs, comparisons } = await plan({ inputs: ["a.png"], output: "out.webp", compare: true });
    expect(outputs).toEqual(["out.webp"]);
    expect(comparisons).toEqual(["out_compare.png"]);
  });

  test("files in a folder: existing, ending in a slash, or for a list", async () => {
    expect((await plan({ inputs: ["a.png"], files: ["a.png", "out.d/x"], output: "out.d" })).outputs)
      .toEqual(["out.d/a_x4.png"]);
    expect((await plan({ inputs: ["a.png"], output: "new.png/" })).outputs).toEqual(["new.png/a_x4.png"]);
    expect((await plan({ inputs: ["a.png"], output: "new", isList: true })).outputs).toEqual(["new/a_x4.png"]);
    const { outputs, errors } = await plan({ inputs: ["a.png", "sub/b.png"], output: "deep/new" });
    expect(outputs).toEqual(["deep/new/a_x4.png", "deep/new/b_x4.png"]);
    expect(errors).toEqual([undefined, undefined]);
    expect(namesIn(join(folder, "deep/new"))).toEqual([]);
  });

  test("with the old extension where they would be the same without", async () => {
    expect((await plan({ inputs: ["a.png", "b.png", "a.jpg"] })).outputs)
      .toEqual(["a_png_x4.png", "b_x4.png", "a_jpg_x4.png"]);
  });

  test("refuses a file name for a list, and a format that is not written", async () => {
    await expect(plan({ inputs: ["a.png", "b.png"], output: "out.png" })).rejects
      .toThrow(/several inputs must go to a folder: it is a file name/);
    await expect(plan({ inputs: ["a.png", "b.png"], files: ["a.png", "b.png", "out"], output: "out" })).rejects
      .toThrow(/several inputs must go to a folder/);
    await expect(plan({ inputs: ["a.png"], output: "out.gif" })).rejects.toThrow(/must end in one of \.png .*"\.gif"/);
    await expect(plan({ inputs: ["a.png"], output: "out" })).rejects.toThrow(/it ends in ""/);
  });
});

describe("planOutputs() refuses before the work", () => {
  test("an output that exists, unless it may be replaced", async () => {
    const files = ["a.png", "a_x4.png"];
    const { errors, hints } = await plan({ inputs: ["a.png"], files });
    expect(errors).toEqual([`Cannot write "a_x4.png": the file must not exist yet: it does`]);
    expect(hints).toEqual(["pass --overwrite to replace it"]);
    expect((await plan({ inputs: ["a.png"], files, overwrite: true })).errors).toEqual([undefined]);
  });

  test("a comparison that exists", async () => {
    const { errors } = await plan({ inputs: ["a.png"], files: ["a.png", "a_x4_compare.png"], compare: true });
    expect(errors).toEqual([`Cannot write "a_x4_compare.png": the file must not exist yet: it does`]);
  });

  test("to replace any input, under whatever name", async () => {
    const rule = "it must not replace an input: it is";
    const own = await plan({ inputs: ["a.png"], output: "sub/../a.png", overwrite: true, files: ["a.png", "sub/b"] });
    expect(own.errors).toEqual([`Cannot write "sub/../a.png": ${rule} "a.png"`]);
    const other = await plan({ inputs: ["a.png", "a_x4.png"], overwrite: true });
    expect(other.errors).toEqual([`Cannot write "a_x4.png": ${rule} "a_x4.png"`, undefined]);
    folder = folderWith({ "a.png": "" });
    Deno.symlinkSync(join(folder, "a.png"), join(folder, "link.png"));
    const options = { output: join(folder, "link.png"), scale: 4, compare: false, overwrite: true, isList: false };
    const [job] = await planOutputs([{ path: join(folder, "a.png") }], options);
    expect(job?.error?.message).toContain(rule);
  });

  test("the second of two inputs with the same output", async () => {
    const { errors } = await plan({ inputs: ["x/a.png", "y/a.png"], output: "out" });
    expect(errors).toEqual([
      undefined,
      `Cannot write "out/a_png_x4.png": no two inputs may have the same output: it is that of "x/a.png" too`,
    ]);
  });

  test("a folder that is missing, is a file, or cannot be made", async () => {
    expect((await plan({ inputs: ["a.png"], output: "none/out.png" })).errors[0])
      .toBe(
        `Cannot write "none/out.png": its folder must exist: there is no "${folder}/none"`.replace(`${folder}/`, ""),
      );
    expect((await plan({ inputs: ["a.png"], output: "a.png/out.png" })).errors[0]).toContain(`"a.png" is a file`);
    expect((await plan({ inputs: ["a.png"], output: "a.png/new/" })).errors[0]).toContain(
      "its folder must be writable",
    );
  });

  test("a folder as the output file, and a name that is too long", async () => {
    const { errors } = await plan({ inputs: ["a.png"], files: ["a.png", "a_x4.png/b"] });
    expect(errors).toEqual([`Cannot write "a_x4.png": it must be a file: it is a folder`]);
    const long = `${"x".repeat(250)}.png`;
    expect((await plan({ inputs: [long] })).errors[0]).toContain("the name must be usable");
  });

  test("nothing for an input that has failed already", async () => {
    folder = folderWith({});
    const { InputError } = await import("@fluxsr/core");
    const error = new InputError("Cannot read it");
    const options = { output: join(folder, "new/"), scale: 4, compare: false, overwrite: false, isList: true };
    const jobs = await planOutputs([{ path: join(folder, "a.png"), error, matchedNothing: false }], options);
    expect(jobs.map((job) => job.error)).toEqual([error]);
    expect(namesIn(folder)).toEqual([]);
  });

  test("and leaves no traces where it has tried", async () => {
    await plan({ inputs: ["a.png", "b.png"] });
    expect(namesIn(folder)).toEqual(["a.png", "b.png"]);
  });
});
