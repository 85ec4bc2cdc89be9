import { join } from "node:path";
import { expect, it } from "vitest";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { inputError } from "./_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 23782506688\n`;

it.each([
  [POINTER, "a pointer of Git LFS", "git lfs pull"],
  ["<!DOCTYPE html>\n<html>", 'text, "<!DOCTYPE html>"', "licence"],
  [
    "Access to model black-forest-labs/FLUX.1-dev is restricted.",
    'text, "Access to model black-forest-labs',
    "licence",
  ],
])("refuses the text %j in place of weights", async (text, state, hint) => {
  for (const name of ["flux1-dev.safetensors", "flux1-dev-Q8_0.gguf"]) {
    const path = join(temporaryFolder(), name);
    await Deno.writeTextFile(path, text);
    const error = await inputError(openWeights(path));
    expect(error.message).toContain(`Cannot open "${path}": file must hold weights: it is ${state}`);
    expect(error.hint).toContain(hint);
  }
});
