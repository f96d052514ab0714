import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const EVERY_MS = 3_000;

/** An account's credits inside the escrow and in its wallet. */
export function useAccountRow(address: string | undefined) {
  return useQuery({
    queryKey: ["account", address],
    queryFn: ({ signal }) => get("/v1/accounts/{address}", { path: { address: address ?? "" }, signal }),
    enabled: address !== undefined,
    refetchInterval: EVERY_MS,
  });
}
