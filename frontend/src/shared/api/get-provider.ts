import { useQuery } from "@tanstack/react-query";
import { ApiProblem } from "./problem.ts";
import { get } from "./request.ts";

const EVERY_MS = 5_000;

/** What the registry knows of a provider; null for an account that never registered. */
export function useProvider(address: string | undefined) {
  return useQuery({
    queryKey: ["provider", address],
    queryFn: async ({ signal }) => {
      try {
        return await get("/v1/providers/{address}", { path: { address: address ?? "" }, signal });
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return null;
        throw error;
      }
    },
    enabled: address !== undefined,
    refetchInterval: EVERY_MS,
  });
}
