import { useQueries } from "@tanstack/react-query";
import { type Address, type Hex, isAddressEqual, recoverTypedDataAddress, type TypedDataDomain } from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import { get } from "@/shared/api/request.ts";
import { PageError } from "@/shared/errors/page-error.ts";

/** The reader key that an account told last in the journal, proven by its signature; null where it told none. */
export async function toldKeyOf(account: Address, domain: TypedDataDomain, signal?: AbortSignal): Promise<Hex | null> {
  const { items } = await get("/v1/reader-notices", { query: { account, limit: 1 }, signal });
  const [notice] = items;
  if (notice === undefined) return null;
  const { message, signature } = notice;
  const signer = await recoverTypedDataAddress({
    domain,
    types: { ReaderNotice: signedTypes.ReaderNotice },
    primaryType: "ReaderNotice",
    message: { ...message, account: message.account as Address, key: message.key as Hex },
    signature: signature as Hex,
  }).catch(() => undefined);
  if (
    signer === undefined ||
    !isAddressEqual(signer, account) ||
    !isAddressEqual(message.account as Address, account)
  ) {
    throw new PageError("The node shows a reader key that its owner did not sign: ask another node.");
  }
  return message.key as Hex;
}

/** Reader keys that accounts told, in their order; those that told none are left out. */
export function useToldKeys(accounts: readonly Address[], domain: TypedDataDomain, enabled: boolean) {
  return useQueries({
    queries: accounts.map((account) => ({
      queryKey: ["reader-notice", account],
      queryFn: ({ signal }: { signal: AbortSignal }) => toldKeyOf(account, domain, signal),
      enabled,
    })),
    combine: (found) => ({
      told: found.flatMap(({ data }, place) => (data ? [{ account: accounts[place] as Address, key: data }] : [])),
      isPending: found.some((query) => query.isPending),
      error: found.find((query) => query.error)?.error ?? null,
    }),
  });
}
