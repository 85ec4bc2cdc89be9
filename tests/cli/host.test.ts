import { expect, test } from "vitest";

const HOST = new URL("../../packages/cli/_host.ts", import.meta.url).href;

/** Runs a script with the functions of `_host.ts` in its own process. */
async function script(code: string) {
  const { code: exitCode, signal, stdout } = await new Deno.Command("deno", {
    args: ["eval", `import { uninterrupted } from ${JSON.stringify(HOST)};\n${code}`],
    env: { NO_COLOR: "1" },
  }).output();
  return { exitCode, signal, stdout: new TextDecoder().decode(stdout) };
}

const INTERRUPT = `
  Deno.kill(Deno.pid, "SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 100));
`;

test("uninterrupted() ends its work before an interrupt ends the process with 130", async () => {
  const { exitCode, stdout } = await script(`
    await uninterrupted(async () => { ${INTERRUPT} console.log("written"); });
    console.log("gone on");
  `);
  expect(stdout).toBe("written\n");
  expect(exitCode).toBe(130);
});

test("uninterrupted() leaves interrupts before and after its work as they are", async () => {
  const { exitCode, stdout } = await script(`
    const value = await uninterrupted(() => Promise.resolve("written"));
    console.log(value);
    ${INTERRUPT}
    console.log("gone on");
  `);
  expect(stdout).toBe("written\n");
  expect(exitCode).toBe(130);
});
