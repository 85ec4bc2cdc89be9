import { InputError } from "@fluxsr/core";
import { expect, test } from "vitest";
import { readPromptTexts } from "../../../../packages/train/data/pairs/prompt_texts.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

function file(contents: string | Uint8Array): string {
  const path = `${temporaryFolder()}/prompts.txt`;
  Deno.writeFileSync(path, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
  return path;
}

test("a prompt is a line without the space around it; empty lines count for nothing", async () => {
  expect(await readPromptTexts(file("\ufeffa fox\r\n\n  caf\u00e9, 50 % \t\n \nthe last"))).toEqual([
    "a fox",
    "caf\u00e9, 50 %",
    "the last",
  ]);
});

test.each<[string, () => string, string]>([
  ["an empty file", () => file(""), "file must have a prompt in a line: it has none"],
  ["a file of empty lines", () => file("\n \r\n"), "file must have a prompt in a line: it has none"],
  ["other bytes", () => file(new Uint8Array([0x66, 0xff, 0xfe])), "it must be UTF-8 text, or embeddings"],
  ["no file", () => `${temporaryFolder()}/none.txt`, "no such file"],
  ["a folder", temporaryFolder, "it must be a file: it is a folder"],
])("refuses %s", async (_, make, state) => {
  const path = make();
  const error = await readPromptTexts(path).then(() => undefined, (error) => error);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toContain(`Cannot use prompts "${path}": ${state}`);
});
