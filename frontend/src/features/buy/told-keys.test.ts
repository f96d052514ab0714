import type { Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterEach, expect, test, vi } from "vitest";
import { signedTypes } from "@/generated/typed-data.ts";
import { newReaderKey } from "@/shared/sealing/reader-key.ts";
import { toldKeyOf } from "./told-keys.ts";

const [provider, stranger] = [1, 2].map(() => privateKeyToAccount(generatePrivateKey())) as [Owner, Owner];
type Owner = ReturnType<typeof privateKeyToAccount>;
const domain = {
  name: "Computility",
  version: "1",
  chainId: 31_337,
  verifyingContract: `0x${"22".repeat(20)}`,
} as const;
const KEY = newReaderKey().public;

afterEach(() => vi.unstubAllGlobals());

async function nodeShows(signer: Owner | undefined, key: Hex = KEY) {
  const message = { account: provider.address, key: KEY, at: 1_790_000_000 };
  const types = { ReaderNotice: signedTypes.ReaderNotice };
  const signature = await signer?.signTypedData({ domain, types, primaryType: "ReaderNotice", message });
  const items = signature ? [{ message: { ...message, key }, signature }] : [];
  vi.stubGlobal("fetch", async () => Response.json({ items, next: null }));
}

test("a key that its owner signed is taken, and where there is none there is none", async () => {
  await nodeShows(provider);
  expect(await toldKeyOf(provider.address, domain)).toBe(KEY);
  await nodeShows(undefined);
  expect(await toldKeyOf(provider.address, domain)).toBeNull();
});

test("a node makes up no key: neither another's signature nor another key under it is taken", async () => {
  await nodeShows(stranger);
  await expect(toldKeyOf(provider.address, domain)).rejects.toThrow("its owner did not sign");
  await nodeShows(provider, newReaderKey().public);
  await expect(toldKeyOf(provider.address, domain)).rejects.toThrow("its owner did not sign");
  await nodeShows(provider);
  await expect(toldKeyOf(stranger.address, domain)).rejects.toThrow("its owner did not sign");
});
