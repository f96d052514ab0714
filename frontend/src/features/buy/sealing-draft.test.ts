import { expect, test } from "vitest";
import { newReaderKey } from "@/shared/sealing/reader-key.ts";
import { type PartyDraft, withSealing } from "./draft.ts";
import { NEW_POLICY } from "./policy-draft.ts";
import { NOT_SEALED, readReaders } from "./sealing-draft.ts";

const [provider, verifier] = [newReaderKey().public, newReaderKey().public];
const sealedTo = (readers: string) => ({ sealed: true, readers });

test("readers are taken as they were named, each once", () => {
  expect(readReaders(sealedTo(`${provider}\n ${verifier} ${provider}\n`), "again")).toEqual([provider, verifier]);
});

test("an open job has none, whatever was typed before", () => {
  expect(readReaders({ sealed: false, readers: "anything" }, "freivalds")).toEqual([]);
});

test.each([
  ["nobody", "", "Name the provider's reader key"],
  ["half a key", provider.slice(0, 40), "64 hex digits"],
  ["capitals", provider.toUpperCase(), "lower case"],
  ["more than a job has", Array.from({ length: 64 }, () => newReaderKey().public).join("\n"), "at most 63"],
])("%s is refused with a sentence", (_, readers, words) => {
  expect(() => readReaders(sealedTo(readers), "again")).toThrow(words);
});

test("a check that reads what is sealed is refused", () => {
  expect(() => readReaders(sealedTo(provider), "freivalds")).toThrow("reads what is sealed");
});

test("files of one's own are asked for again when an order becomes sealed: they were uploaded openly", () => {
  const file = (path: string) => ({ path, cid: `cid of ${path}`, size: 1 });
  const parties = { sealing: NOT_SEALED, policy: { ...NEW_POLICY, method: "freivalds" } } as unknown as PartyDraft;
  const draft = { ...parties, inputs: [file("mine"), file("example")] };
  const sealed = withSealing(draft, sealedTo(provider), [file("example")]);
  expect(sealed.inputs).toEqual([file("example")]);
  expect(sealed.policy.method).toBe("again");
  const named = withSealing({ ...sealed, inputs: [file("mine")] }, sealedTo(verifier), []);
  expect(named.inputs).toEqual([file("mine")]);
  expect(withSealing(named, NOT_SEALED, []).inputs).toEqual([]);
});
