import { expect, test } from "vitest";
import { kindOf } from "./job-kind.ts";

test.each([
  ["wasi-p1/wasmtime-50.0.1/0123456789abcdef", "wasm"],
  ["process-linux-x86-64/debian-12/0123456789abcdef", "process"],
  ["container-linux-x86-64/runc/0123456789abcdef", "container"],
  ["quantum/q-1/0123456789abcdef", undefined],
  ["", undefined],
])("%s runs %s", (environment, kind) => {
  expect(kindOf(environment)).toBe(kind);
});
