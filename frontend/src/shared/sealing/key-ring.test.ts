// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetKey, holdKey, keyRing, keyWasCopied } from "./key-ring.ts";
import { newReaderKey, readKeyFile, writeKeyFile } from "./reader-key.ts";

beforeEach(() => localStorage.clear());
afterEach(() => vi.unstubAllGlobals());

const held = (copied = false) => ({ ...newReaderKey(), copied });

test("the key that came last is first, and taking one in again doubles nothing", () => {
  const [one, two] = [held(), held()];
  holdKey(one);
  holdKey(two);
  expect(keyRing()).toEqual([two, one]);
  holdKey({ ...one, copied: true });
  expect(keyRing()).toEqual([{ ...one, copied: true }, two]);
});

test("a saved copy is remembered, and a forgotten key is gone", () => {
  const [one, two] = [held(), held()];
  holdKey(one);
  holdKey(two);
  keyWasCopied(one.public);
  expect(keyRing().map((key) => key.copied)).toEqual([false, true]);
  forgetKey(two.public);
  expect(keyRing()).toEqual([{ ...one, copied: true }]);
});

test("a browser that keeps nothing says so, instead of losing a key", () => {
  const refuses = () => {
    throw new DOMException("no", "QuotaExceededError");
  };
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: refuses });
  expect(() => holdKey(held())).toThrow("allow storage");
});

test("what somebody else left in its place is no key", () => {
  localStorage.setItem("computility.reader-keys", '[{"secret":"0x12"},7,null]');
  expect(keyRing()).toEqual([]);
  localStorage.setItem("computility.reader-keys", "{");
  expect(keyRing()).toEqual([]);
});

test("a copy comes back as the key that was saved", () => {
  const key = newReaderKey();
  expect(readKeyFile(writeKeyFile(key))).toEqual(key);
});

test.each([
  ["no JSON", "key"],
  ["null", "null"],
  ["another document", '{"kind":"wallet","version":1}'],
  ["a later version", writeKeyFile(newReaderKey()).replace('"version": 1', '"version": 2')],
  ["a short secret", writeKeyFile({ ...newReaderKey(), secret: "0x12" })],
])("%s is refused as a copy", (_, text) => {
  expect(() => readKeyFile(text)).toThrow("no copy of a reader key");
});

test("a copy whose halves do not belong together is damaged", () => {
  const mixed = { ...newReaderKey(), public: newReaderKey().public };
  expect(() => readKeyFile(writeKeyFile(mixed))).toThrow("damaged");
});
