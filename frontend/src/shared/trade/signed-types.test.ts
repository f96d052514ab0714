import { type Hex, hashTypedData, recoverTypedDataAddress, type TypedDataDomain } from "viem";
import { describe, expect, test } from "vitest";
import { signedTypes } from "@/generated/typed-data.ts";
import { goldenVectors } from "./golden-vectors.ts";

interface Vector {
  readonly domain: TypedDataDomain;
  readonly primaryType: keyof typeof signedTypes;
  readonly message: Record<string, unknown>;
  readonly digest: Hex;
  readonly signature: Hex;
  readonly signer: Hex;
}

describe.each(["terms", "attestation", "settlement", "ruling", "leases", "readers", "statements"])(
  "golden vectors of %s",
  (file) => {
    const vectors = goldenVectors<Vector>(file);

    test("there are some", () => expect(vectors.length).toBeGreaterThan(0));

    test.each(vectors.map((vector, index) => [index, vector.primaryType, vector] as const))(
      "number %i, %s: digest and signer are the same as in Python and Solidity",
      async (_, primaryType, { domain, message, digest, signature, signer }) => {
        const typed = { domain, types: signedTypes, primaryType, message } as Parameters<typeof hashTypedData>[0];
        expect(hashTypedData(typed)).toBe(digest);
        expect(await recoverTypedDataAddress({ ...typed, signature } as never)).toBe(signer);
      },
    );
  },
);
