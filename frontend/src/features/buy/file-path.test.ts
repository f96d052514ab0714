import { expect, test } from "vitest";
import { pathFault } from "./file-path.ts";

test.each(["a.wasm", "scenes/demo.scene", "ä.txt", "a b", "😀.png", "..a", "a".repeat(255)])(
  "“%s” is a name",
  (path) => {
    expect(pathFault(path)).toBeUndefined();
  },
);

test.each([
  "",
  "/a",
  "a/",
  "a//b",
  ".",
  "../a",
  "a/./b",
  "a\\b",
  "a\nb",
  "a\u007f",
  "a\u0308",
  "\ud83d",
  "a".repeat(256),
])("“%s” is none", (path) => expect(pathFault(path)).toMatch(/rename/));
