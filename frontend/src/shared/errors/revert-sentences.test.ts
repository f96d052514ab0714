import { expect, test } from "vitest";
import * as abis from "@/generated/abis.ts";
import { REVERT_SENTENCES, revertSentence } from "./revert-sentences.ts";

const ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

interface AbiError {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly { readonly type: string }[];
}

const declared = Object.values(abis)
  .flatMap((abi) => abi as unknown as AbiError[])
  .filter((item) => item.type === "error");

test.each(declared)("$name has a sentence that says what to do", ({ name, inputs }) => {
  expect(REVERT_SENTENCES).toHaveProperty(name);
  const sentence = revertSentence(
    name,
    inputs.map(({ type }) => (type === "address" ? ADDRESS : 1n)),
  );
  expect(sentence).toMatch(/^[A-Z0][^\n]*\.$/);
  expect(sentence).not.toMatch(/undefined|NaN|\[object/);
});

test("no sentence is for an error that no contract has", () => {
  const names = new Set(declared.map((item) => item.name));
  expect(Object.keys(REVERT_SENTENCES).filter((name) => !names.has(name))).toEqual([]);
});

test("an error that is new to the page is named", () => {
  expect(revertSentence("Surprise", [])).toContain("Surprise");
});
