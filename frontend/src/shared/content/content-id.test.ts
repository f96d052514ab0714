import { type Hex, hexToBytes } from "viem";
import { expect, test } from "vitest";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import { contentIdOf, contentIdOfDigest, digestOf } from "./content-id.ts";

const vectors = goldenVectors<{ hex: Hex; digest: Hex; cid: string }>("content_id");

test.each(vectors)("$cid is the id of its bytes and of its digest", async ({ hex, digest, cid }) => {
  const bytes = new Uint8Array(hexToBytes(hex));
  expect(await contentIdOf(bytes)).toBe(cid);
  expect(await digestOf(bytes)).toBe(digest);
  expect(contentIdOfDigest(digest)).toBe(cid);
});
