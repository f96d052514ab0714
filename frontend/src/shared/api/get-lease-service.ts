import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const EVERY_MS = 15_000;

/** How a provider served its newest leases. */
export function useLeaseService(address: string) {
  return useQuery({
    queryKey: ["lease-service", address],
    queryFn: ({ signal }) => get("/v1/statistics/providers/{address}/leases", { path: { address }, signal }),
    refetchInterval: EVERY_MS,
  });
}
