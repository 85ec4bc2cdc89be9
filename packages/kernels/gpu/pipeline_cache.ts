import { GpuError } from "./errors.ts";
import { enableLine, type KernelFeature } from "./features.ts";
import type { Access, Kernel } from "./kernel.ts";

/** A compiled kernel. */
export interface Pipeline {
  readonly raw: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compiles kernels once per (text, entry, constants) and layouts once per access pattern. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #enables: readonly KernelFeature[];
  readonly #watch: (check: Promise<GpuError | null>) => void;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #byKernel = new WeakMap<Kernel, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Group 1: the uniform arena, at a dynamic offset. */
  readonly paramLayout: GPUBindGroupLayout;

  /** @param options `enables` are the features whose `enable` line the compiler takes. */
  constructor(
    device: GPUDevice,
    { enables, watch }: { enables: readonly KernelFeature[]; watch: (check: Promise<GpuError | null>) => void },
  ) {
    this.#device = device;
    this.#enables = enables;
    this.#watch = watch;
    this.paramLayout = device.createBindGroupLayout({
      label: "params",
      entries: [{
        binding: 0,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: "uniform", hasDynamicOffset: true },
      }],
    });
  }

  /** The pipeline of `kernel`; a compile error is reported to `watch` with the kernel's label and the WGSL line. */
  get(kernel: Kernel): Pipeline {
    const known = this.#byKernel.get(kernel);
    if (known) return known;
    const code = this.#code(kernel);
    const key = JSON.stringify([code, kernel.entry, kernel.constants, kernel.binds]);
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(kernel, code);
      this.#pipelines.set(key, pipeline);
    }
    this.#byKernel.set(kernel, pipeline);
    return pipeline;
  }

  /** The chunks, with the `enable` directives in front on their first line: error messages count the chunks' lines. */
  #code({ features, sources }: Kernel): string {
    return enableLine(this.#enables.filter((feature) => features.includes(feature))) + sources.join("\n");
  }

  #compile(kernel: Kernel, code: string): Pipeline {
    const device = this.#device;
    const layout = this.#layout(Object.values<Access>(kernel.binds));
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: kernel.name, code });
    const raw = device.createComputePipeline({
      label: kernel.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout, this.paramLayout] }),
      compute: { module, entryPoint: kernel.entry, constants: { ...kernel.constants } },
    });
    const scope = device.popErrorScope();
    this.#watch(scope.then((error) => error && compileError(kernel, module, error)));
    return { raw, layout };
  }

  #layout(accesses: readonly Access[]): GPUBindGroupLayout {
    const key = accesses.map((access) => access === "read" ? "r" : "w").join("");
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        label: key,
        entries: accesses.map((access, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === "read" ? "read-only-storage" as const : "storage" as const },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

async function compileError(kernel: Kernel, module: GPUShaderModule, error: GPUError): Promise<GpuError> {
  const { messages } = await module.getCompilationInfo();
  const first = messages.find((message) => message.type === "error");
  const where = first ? `line ${first.lineNum}:${first.linePos}: ${oneLine(first.message)}` : error.message;
  const line = first ? kernel.sources.join("\n").split("\n")[first.lineNum - 1]?.trim() : undefined;
  return new GpuError(`Cannot compile kernel "${kernel.name}": ${where}${line ? `: ${line}` : ""}`);
}

/** The headline of a compiler message and its reasons (after `=`), without the drawing of the source between them. */
function oneLine(message: string): string {
  const [headline = "", ...rest] = message.trim().split("\n");
  const reasons = rest.filter((line) => /^\s*= /.test(line)).map((line) => line.replace("=", "").trim());
  return [headline.replace(/^Shader.*? error: /, ""), ...reasons].join(": ");
}
