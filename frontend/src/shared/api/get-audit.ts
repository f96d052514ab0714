import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

/** A replay of the whole chain against the store, made for this answer: slow, so only on demand. */
export function useAudit() {
  return useQuery({
    queryKey: ["audit"],
    queryFn: ({ signal }) => get("/v1/audit", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}
