import { expect, test } from "vitest";
import { filesOf } from "./checked-manifest.ts";

const SPEC = `0x${"ab".repeat(32)}`;
const file = { path: "picture.png", size: 8, sha256: "cd".repeat(32) };
const manifest = (changes: object = {}) => JSON.stringify({ version: 1, spec: SPEC, files: [file], ...changes });

test("the files of a manifest", () => {
  expect(filesOf(manifest(), SPEC.toUpperCase().replace("0X", "0x"))).toEqual([
    { ...file, sha256: `0x${file.sha256}` },
  ]);
});

test("a manifest of another specification is not this job's result", () => {
  expect(() => filesOf(manifest({ spec: `0x${"00".repeat(32)}` }), SPEC)).toThrow("another specification");
});

test.each([
  ["no JSON", "<html>"],
  ["no object", "[]"],
  ["no files", manifest({ files: null })],
  ["a file that is none", manifest({ files: [1] })],
  ["a hash that is none", manifest({ files: [{ ...file, sha256: "xyz" }] })],
  ["a size that is text", manifest({ files: [{ ...file, size: "8" }] })],
])("%s is refused", (_, text) => {
  expect(() => filesOf(text, SPEC)).toThrow("no output manifest");
});
