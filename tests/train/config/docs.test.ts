import { expect, test } from "vitest";
import { configPage } from "../../../packages/train/config/docs.ts";
import { fieldsOf } from "../../../packages/train/config/fields.ts";
import { flowConfig } from "../../../packages/train/config/flow_config.ts";
import { ftdConfig } from "../../../packages/train/config/ftd_config.ts";

// `deno run -A vitest run tests/train/config/docs.test.ts -u` writes the page anew.
test("docs/training-config.md is what the schemas say", async () => {
  await expect(configPage()).toMatchFileSnapshot("../../../docs/training-config.md");
});

test("every key has a meaning, and says so where the paper does not state its value", () => {
  const fields = [...fieldsOf(ftdConfig), ...fieldsOf(flowConfig)];
  expect(fields.filter(({ description }) => description.length < 10)).toEqual([]);
  const silent = fieldsOf(ftdConfig).filter(({ description }) => description.endsWith("not stated in the paper)"));
  expect(silent.map(({ key }) => key)).toEqual(
    expect.arrayContaining(["rank", "lr", "batch_size", "T_L", "lambda", "gamma", "adl", "mse"]),
  );
});
