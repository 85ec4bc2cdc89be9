import { join } from "node:path";
import { runUpscale } from "../../packages/cli/_run_upscale.ts";
import type { UpscaleDeps, UpscaleRequest } from "../../packages/cli/_upscale_request.ts";
import { fakeDeps, fakeHost, folderWith } from "./_fakes.ts";

/** Runs over `inputs` in a folder with `files`; texts have paths relative to it. */
export async function run({ files, inputs = Object.keys(files), columns, deps: replaced, ...request }: {
  files: Record<string, string>;
  inputs?: string[];
  columns?: number;
  deps?: Partial<UpscaleDeps>;
} & Partial<UpscaleRequest>) {
  const folder = folderWith(files);
  const host = fakeHost(columns === undefined ? {} : { columns });
  const deps = fakeDeps(host, replaced);
  const code = await runUpscale({
    model: "some/model",
    scale: 4,
    strength: 1,
    colorFix: "wavelet",
    precision: "auto",
    ...request,
    inputs: inputs.map((name) => join(folder, name)),
  }, deps);
  const below = (text: string) => text.replaceAll(`${folder}/`, "");
  return { folder, code, stdout: below(host.stdout), stderr: below(host.stderr), calls: deps.calls };
}
